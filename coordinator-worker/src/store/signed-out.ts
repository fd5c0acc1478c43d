import { ENROLMENT_LIFETIME_S } from "#protocol/enrolment";
import type { Redis } from "@upstash/redis/cloudflare";
import { storeCall } from "./store-call";

const key = (peerId: string) => `signed-out:${peerId}`;

/** From now on no enrolment counts that the peer has; the mark lasts as long as the latest of them. */
export async function markSignedOut(redis: Redis, peerId: string, nowMs: number): Promise<void> {
  await storeCall("redis", () => redis.set(key(peerId), nowMs, { ex: ENROLMENT_LIFETIME_S }));
}

/** When the peer was signed out, in milliseconds; 0 where it was not, or so long ago that nothing is left of it. */
export async function readSignedOutMs(redis: Redis, peerId: string): Promise<number> {
  return Number((await storeCall("redis", () => redis.get<string>(key(peerId)))) ?? 0);
}
