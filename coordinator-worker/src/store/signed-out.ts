import { ENROLMENT_COUNTS_S } from "#protocol/enrolment";
import type { Redis } from "@upstash/redis/cloudflare";
import { linkedToKey, REMEMBERS_SINCE_KEY, REMEMBERS_SINCE_TTL_S, signedOutKey } from "./live-keys";
import { storeCall } from "./store-call";
import { markAndTakeOff } from "./take-off-lists";

/** From now on no enrolment counts that these peers have; the marks last as long as the latest of them. */
export function markSignedOut(
  redis: Redis,
  peerIds: readonly string[],
  nowMs: number,
): Promise<void> {
  const value = String(nowMs);
  const marks = peerIds.map((nodeId) => ({ nodeId, key: signedOutKey(nodeId), value }));
  return markAndTakeOff(redis, marks, ENROLMENT_COUNTS_S);
}

/** From now on no enrolment counts that names another user of the peer: it was for that one's networks. */
export async function markLinked(redis: Redis, peerId: string, userId: string): Promise<void> {
  await storeCall("redis", () =>
    redis.set(linkedToKey(peerId), userId, { ex: ENROLMENT_COUNTS_S }),
  );
}

/** Before an enrolment is given out: from now on at the latest this Redis remembers who must not use one. */
export async function beginRemembering(redis: Redis, nowMs: number): Promise<void> {
  const nowS = Math.floor(nowMs / 1_000);
  await storeCall("redis", () =>
    redis.set(REMEMBERS_SINCE_KEY, nowS, { nx: true, ex: REMEMBERS_SINCE_TTL_S }),
  );
}
