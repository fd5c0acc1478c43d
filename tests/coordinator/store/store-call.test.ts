import { neon, NeonDbError, neonConfig } from "@neondatabase/serverless";
import { Redis } from "@upstash/redis/cloudflare";
import { drizzle } from "drizzle-orm/neon-http";
import { sql } from "drizzle-orm";
import { expect, it, onTestFinished } from "vitest";
import { storeCall, StoreUnavailable } from "#coordinator/store/store-call";

/** The library that the coordinator uses, in front of a service that answers each call the same way. */
function redisThatSays(answer: () => Response): Redis {
  const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: answer });
  onTestFinished(() => server.stop(true));
  return new Redis({ url: server.url.origin, token: "token", retry: false });
}

const refusal = (error: string) => () => Response.json({ error }, { status: 400 });
const inPipeline = (error: string) => () => Response.json([{ result: null }, { error }]);
const single = (redis: Redis) => redis.get("k");
const pipeline = (redis: Redis) => redis.pipeline().get("k").set("k", "v").exec();

const AWAY: readonly [string, () => Response, (redis: Redis) => Promise<unknown>][] = [
  ["says in plain text that it is away", () => new Response("away", { status: 503 }), single],
  ["is behind a gateway's page", () => new Response("<html>", { status: 502 }), pipeline],
  ["loads its data", refusal("LOADING Redis is loading the dataset in memory"), single],
  ["loads it while a pipeline comes", inPipeline("LOADING Redis is loading the dataset"), pipeline],
  ["cannot write to its disk", inPipeline("MISCONF Redis is configured to save"), pipeline],
  ["has no primary", refusal("READONLY You can't write against a read only replica."), single],
];

it.each(AWAY)("takes a Redis that %s for one that is away", async (_, answer, call) => {
  const redis = redisThatSays(answer);
  await expect(storeCall("redis", () => call(redis))).rejects.toBeInstanceOf(StoreUnavailable);
});

it("takes a Redis that nobody answers for for one that is away", async () => {
  const redis = new Redis({ url: "http://127.0.0.1:1", token: "token", retry: false });
  await expect(storeCall("redis", () => redis.get("k"))).rejects.toBeInstanceOf(StoreUnavailable);
});

const REFUSED: readonly [string, () => Response, (redis: Redis) => Promise<unknown>][] = [
  ["one command", refusal("ERR unknown command 'LOADING'"), single],
  ["one of a pipeline", inPipeline("WRONGTYPE Operation against a key"), pipeline],
];

it.each(REFUSED)(
  "takes %s that Redis refuses for a fault of this side",
  async (_, answer, call) => {
    const redis = redisThatSays(answer);
    const thrown = await storeCall("redis", () => call(redis)).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(Error);
    expect(thrown).not.toBeInstanceOf(StoreUnavailable);
  },
);

/** The driver that the coordinator uses, in front of a database that undoes the first statements it gets. */
function databaseThatUndoes(count: number, code: string) {
  let asked = 0;
  const undone = () =>
    Response.json({ message: "undone", code, severity: "ERROR" }, { status: 400 });
  const done = () =>
    Response.json({ command: "SELECT", rowCount: 0, fields: [], rows: [], rowAsArray: true });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: () => ((asked += 1) <= count ? undone() : done()),
  });
  const before = neonConfig.fetchEndpoint;
  neonConfig.fetchEndpoint = server.url.href;
  onTestFinished(async () => {
    neonConfig.fetchEndpoint = before;
    await server.stop(true);
  });
  const db = drizzle({ client: neon("postgres://u:p@127.0.0.1/none") });
  const call = () => storeCall("postgres", () => db.execute(sql`select 1`));
  return { call, asked: () => asked };
}

it.each(["40P01", "40001"])(
  "begins a transaction again that the database undid in favour of another (%s)",
  async (code) => {
    const { call, asked } = databaseThatUndoes(2, code);
    expect(await call()).toMatchObject({ rows: [] });
    expect(asked()).toBe(3);
  },
);

it("takes a transaction that is undone each time for a fault of this side", async () => {
  const { call, asked } = databaseThatUndoes(9, "40P01");
  const thrown = await call().catch((error: unknown) => error);
  expect(thrown).toMatchObject({ message: "postgres refused a statement" });
  expect(asked()).toBe(3);
});

it.each(["40003", "23505"])("begins nothing again that failed with %s", async (code) => {
  const { call, asked } = databaseThatUndoes(1, code);
  await expect(call()).rejects.toMatchObject({ cause: { cause: expect.any(NeonDbError) } });
  expect(asked()).toBe(1);
});
