import { expect, it, onTestFinished } from "vitest";
import { newPeer } from "#support/test-peer";
import { startAtRedis } from "./coordinator-at-redis";
import { movesOf } from "./moves";
import { holding } from "../drizzle/held-locks";
import { startRedisOnTcp } from "../self-host/redises";

it("gives back what was held for a ticket where there is no key to sign the ticket with", async () => {
  const redis = await startRedisOnTcp();
  onTestFinished(redis.close);
  const first = await startAtRedis(0, redis.port);
  const peer = await newPeer(first.url);
  const { user_id } = await peer.register();
  await first.stop();
  // One that has not read the keys yet.
  const second = await startAtRedis(Number(new URL(first.url).port), redis.port);
  onTestFinished(second.stop);
  const letGo = await holding("lock table signing_keys in access exclusive mode", []);
  expect((await peer.call("/authorize", { body: { model: "any" } })).status).toBe(503);
  await letGo();
  await expect.poll(() => movesOf(peer, user_id)).toEqual(["refund", "hold", "starter_grant"]);
});
