import type { Redis } from "@upstash/redis/cloudflare";
import { suspendedKey } from "./live-keys";
import { storeCall } from "./store-call";
import { markAndTakeOff } from "./take-off-lists";

/** Postgres knows who is suspended. The sweep writes the marks anew long before they end. */
const MARK_TTL_S = 60 * 60;

export type Suspended = { readonly id: string; readonly reason: string };

/** From now on these nodes are offered to nobody, and hear why with their heartbeats. */
export function markSuspended(redis: Redis, nodes: readonly Suspended[]): Promise<void> {
  const marks = nodes.map(({ id, reason }) => ({
    nodeId: id,
    key: suspendedKey(id),
    value: reason,
  }));
  return markAndTakeOff(redis, marks, MARK_TTL_S);
}

export async function liftSuspension(redis: Redis, nodeId: string): Promise<void> {
  await storeCall("redis", () => redis.del(suspendedKey(nodeId)));
}
