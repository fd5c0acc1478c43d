import type { Redis } from "@upstash/redis/cloudflare";
import { suspendedKey } from "./live-keys";
import { storeCall } from "./store-call";
import { markAndTakeOff } from "./take-off-lists";

/** Postgres knows who is suspended. The sweep writes the marks anew long before they end. */
const MARK_TTL_S = 60 * 60;

/** From now on the node is offered to nobody, and hears why with its heartbeats. */
export function markSuspended(redis: Redis, nodeId: string, reason: string): Promise<void> {
  return markAndTakeOff(redis, nodeId, {
    key: suspendedKey(nodeId),
    value: reason,
    ttlS: MARK_TTL_S,
  });
}

export async function liftSuspension(redis: Redis, nodeId: string): Promise<void> {
  await storeCall("redis", () => redis.del(suspendedKey(nodeId)));
}
