import { afterAll, beforeAll, expect, it } from "vitest";
import { DeviceCode } from "#protocol/device";
import { Problem } from "#protocol/problem";
import { cleanupStack } from "#support/cleanup-stack";
import { newPeer } from "#support/test-peer";
import { type CoordinatorAtRedis, startAtRedis } from "./coordinator-at-redis";
import { movesOf } from "./moves";
import { operatorOf } from "./operators";
import { PASSWORD, peopleOf } from "./people";
import { startRedisOnTcp } from "../self-host/redises";
import { startTcpProxy } from "../self-host/tcp-proxy";

const cleanup = cleanupStack();
let started: CoordinatorAtRedis;
/** The coordinator's way to Redis. */
let proxy: Awaited<ReturnType<typeof startTcpProxy>>;

beforeAll(async () => {
  const redis = await startRedisOnTcp();
  cleanup.add(redis.close);
  proxy = await startTcpProxy(redis.port);
  cleanup.add(proxy.close);
  const running = await startAtRedis(0, proxy.port);
  cleanup.add(running.stop);
  started = running;
});
afterAll(() => cleanup.run());
const { person } = peopleOf(() => started);

it("says that a store does not answer and when to come back, and goes on once it does", async () => {
  const peer = await newPeer(started.url);
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

/** Links a peer to somebody and enrols it as a node; what it sends with its heartbeats. */
async function nodeOf() {
  const [peer, somebody] = [await newPeer(started.url), await person()];
  const begun = DeviceCode.parse(await (await peer.call("/auth/device", { body: {} })).json());
  const body = { user_code: begun.user_code, approve: true };
  expect((await somebody.ask("/auth/device/decide", { body })).status).toBe(204);
  const { device_code } = begun;
  expect((await peer.call("/auth/device/token", { body: { device_code } })).status).toBe(200);
  const registration = await peer.register();
  expect((await peer.beat(registration)).status).toBe(200);
  return { peer, somebody, registration };
}

it("ends a machine's enrolment when it is signed out again, where Redis was away the first time", async () => {
  const { peer, somebody, registration } = await nodeOf();

  const path = `/auth/peers/${peer.identity.peerId}/revoke`;
  proxy.cut();
  expect((await somebody.ask(path, { method: "POST" })).status).toBe(503);
  proxy.restore();
  await expect.poll(async () => (await somebody.ask(path, { method: "POST" })).status).toBe(204);
  const refused = await peer.beat(registration);
  expect(Problem.parse(await refused.json()).code).toBe("enrolment_invalid");
});

it("ends the enrolments of who left while Redis was away, from the next sweep on", async () => {
  const { peer, somebody, registration } = await nodeOf();
  proxy.cut();
  const left = await somebody.ask("/auth/delete", { body: { password: PASSWORD } });
  expect(left.status).toBe(503);
  await expect(started.sweep()).rejects.toThrow("cron");
  proxy.restore();
  await expect.poll(async () => (await peer.beat(registration)).status).toBe(200);
  await started.sweep();
  const refused = await peer.beat(registration);
  expect(Problem.parse(await refused.json()).code).toBe("enrolment_invalid");
});

it("suspends a node whose suspension Redis did not hear of, from the next sweep on", async () => {
  const { peer, registration } = await nodeOf();
  const operator = operatorOf(() => started);
  proxy.cut();
  const path = `/admin/nodes/${peer.identity.peerId}/suspend`;
  expect((await operator.call(path, { reason: "tests" })).status).toBe(503);
  proxy.restore();
  const said = async () => (await (await peer.beat(registration)).json()) as object;
  await expect.poll(said).toMatchObject({ status: "seen" });
  expect(await said()).not.toHaveProperty("suspended");
  await started.sweep();
  expect(await said()).toMatchObject({ suspended: { reason: "tests" } });
});

it("gives back at once what was held for a ticket that Redis kept from being given out", async () => {
  const peer = await newPeer(started.url);
  const { user_id } = await peer.register();
  const held = async () => (await (await peer.call(`/users/${user_id}/balance`)).json()) as object;
  proxy.cut();
  expect((await peer.call("/authorize", { body: { model: "any" } })).status).toBe(503);
  proxy.restore();
  await expect.poll(held).toMatchObject({ held: "0", available: "3600" });
  // It was held.
  expect(await movesOf(peer, user_id)).toEqual(["refund", "hold", "starter_grant"]);
});
