import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { DeviceCode } from "#protocol/device";
import { Problem } from "#protocol/problem";
import { startCoordinator } from "#self-host/coordinator";
import { testStores } from "#support/coordinator";
import { newPeer } from "#support/test-peer";
import { peopleOf } from "./people";
import { startRedisOnTcp } from "../self-host/redises";
import { startTcpProxy } from "../self-host/tcp-proxy";

/** A coordinator whose way to Redis can be cut. */
async function start() {
  const redis = await startRedisOnTcp();
  const proxy = await startTcpProxy(redis.port);
  const dataDir = mkdtempSync(join(tmpdir(), "troop-away-"));
  const coordinator = await startCoordinator({
    dataDir,
    host: "127.0.0.1",
    port: 0,
    databaseUrl: testStores.databaseUrl,
    redisUrl: `redis://127.0.0.1:${proxy.port}`,
    settings: { ALLOWED_RANGES: "127.0.0.0/8" },
  });
  onTestFinished(async () => {
    await coordinator.stop();
    await proxy.close();
    await redis.close();
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { ...coordinator, dataDir, proxy };
}

it("says that a store does not answer and when to come back, and goes on once it does", async () => {
  const { url, proxy } = await start();
  const peer = await newPeer(url);
  await peer.register();
  expect((await peer.call("/v1/models")).status).toBe(200);

  proxy.cut();
  const refused = await peer.call("/v1/models");
  expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "2"]);
  expect(Problem.parse(await refused.json())).toMatchObject({
    code: "store_unavailable",
    detail: "Try again.",
  });
  proxy.restore();
  await expect.poll(async () => (await peer.call("/v1/models")).status).toBe(200);
});

it("ends a machine's enrolment when it is signed out again, where Redis was away the first time", async () => {
  const started = await start();
  const { person } = peopleOf(() => started);
  const { url, proxy } = started;
  const [peer, somebody] = [await newPeer(url), await person()];
  const begun = DeviceCode.parse(await (await peer.call("/auth/device", { body: {} })).json());
  const body = { user_code: begun.user_code, approve: true };
  expect((await somebody.ask("/auth/device/decide", { body })).status).toBe(204);
  const { device_code } = begun;
  expect((await peer.call("/auth/device/token", { body: { device_code } })).status).toBe(200);
  const registration = await peer.register();
  const before = await peer.beat(registration);
  expect(before.status).toBe(200);

  const path = `/auth/peers/${peer.identity.peerId}/revoke`;
  proxy.cut();
  expect((await somebody.ask(path, { method: "POST" })).status).toBe(503);
  proxy.restore();
  await expect.poll(async () => (await somebody.ask(path, { method: "POST" })).status).toBe(204);
  const refused = await peer.beat(registration);
  expect(Problem.parse(await refused.json()).code).toBe("enrolment_invalid");
});
