import { Redis } from "@upstash/redis";
import { expect, it } from "vitest";
import { SelfHostError } from "#self-host/self-host-error";
import { openStores, type Stores } from "#self-host/stores";
import { temporaryFolder } from "./folders";
import { startRedisOnTcp } from "./redises";

function askDatabase(
  stores: Stores,
  query: string,
  databaseUrl = stores.databaseUrl,
): Promise<Response> {
  return fetch(stores.databaseFetchEndpoint, {
    method: "POST",
    headers: {
      "neon-connection-string": databaseUrl,
      "neon-raw-text-output": "true",
      "neon-array-mode": "true",
    },
    body: JSON.stringify({ query, params: [] }),
  });
}

async function rowsOf(stores: Stores, query: string): Promise<unknown> {
  return ((await (await askDatabase(stores, query)).json()) as { rows: unknown }).rows;
}

it("opens embedded stores that answer to their secret, and to no other stores'", async () => {
  const [one, other] = await Promise.all([openStores(), openStores()]);
  expect(one.kinds).toEqual({ database: "embedded", redis: "embedded" });
  expect(one.redisRestToken).not.toBe(other.redisRestToken);
  expect(await rowsOf(one, "select 1")).toEqual([["1"]]);
  expect((await askDatabase(one, "select 1", other.databaseUrl)).status).toBe(401);

  const redisOf = (stores: Stores, token: string): Redis =>
    new Redis({ url: stores.redisRestUrl, token, retry: false });
  expect(await redisOf(one, one.redisRestToken).set("k", "v")).toBe("OK");
  expect(await redisOf(other, other.redisRestToken).get("k")).toBeNull();
  await expect(redisOf(one, other.redisRestToken).get("k")).rejects.toThrow("Unauthorized");
  await Promise.all([one.close(), other.close()]);
});

it("keeps the database of a folder and locks the folder while it is open", async () => {
  const dataDir = temporaryFolder();
  const first = await openStores({ dataDir });
  await first.sql.query({ text: "create table kept (id int)", params: [] });
  const second = await openStores({ dataDir }).catch((error: unknown) => error);
  expect(second).toBeInstanceOf(SelfHostError);
  expect((second as SelfHostError).message).toContain(String(process.pid));
  await first.close();

  const third = await openStores({ dataDir });
  expect(await rowsOf(third, "select count(*) from kept")).toEqual([["0"]]);
  await third.close();
});

it("leaves nothing open and unlocks the folder where one store cannot be opened", async () => {
  const dataDir = temporaryFolder();
  await expect(openStores({ dataDir, redisUrl: "redis://127.0.0.1:1" })).rejects.toBeInstanceOf(
    SelfHostError,
  );
  const stores = await openStores({ dataDir });
  await stores.close();
});

it("leaves no connection to Redis open where the database cannot be opened", async () => {
  const redis = await startRedisOnTcp();
  const redisUrl = `redis://127.0.0.1:${redis.port}`;
  const databaseUrl = "postgres://127.0.0.1:1/none";
  await expect(openStores({ redisUrl, databaseUrl })).rejects.toBeInstanceOf(SelfHostError);
  // It waits for its last connection.
  await redis.close();
});

it("adds the latency asked for to each answer, and lets answers overlap", async () => {
  // Far more than a slow machine needs for three answers, so that only waiting for each other takes as long.
  const latencyMs = 1_500;
  const stores = await openStores({ addLatencyMs: latencyMs });
  const redis = new Redis({ url: stores.redisRestUrl, token: stores.redisRestToken });
  const startMs = performance.now();
  await Promise.all([rowsOf(stores, "select 1"), rowsOf(stores, "select 2"), redis.get("x")]);
  const elapsedMs = performance.now() - startMs;
  expect(elapsedMs).toBeGreaterThanOrEqual(latencyMs - 5);
  expect(elapsedMs).toBeLessThan(3 * latencyMs);
  await stores.close();
});

it("stops listening when it is closed", async () => {
  const stores = await openStores();
  await stores.close();
  await expect(askDatabase(stores, "select 1")).rejects.toThrow();
  await expect(fetch(stores.redisRestUrl)).rejects.toThrow();
});
