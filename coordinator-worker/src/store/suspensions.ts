import type { Redis } from "@upstash/redis/cloudflare";
import { announcedKey, suspendedKey } from "./live-keys";
import { storeCall } from "./store-call";

/**
 * Postgres knows who is suspended. The sweep writes the marks anew long before they end, and one that it wrote while
 * the node was being reinstated ends by itself.
 */
const MARK_TTL_S = 60 * 60;

// Whatever the node announced last goes with the mark, in one step: no heartbeat can come in between.
const SUSPEND = `
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
local said = redis.call('GET', KEYS[2])
if not said then return 0 end
for _, gone in ipairs(cjson.decode(said)) do redis.call('HDEL', gone, ARGV[3]) end
redis.call('DEL', KEYS[2])
return 1`;

/** From now on the node is offered to nobody, and hears why with its heartbeats. */
export async function markSuspended(redis: Redis, nodeId: string, reason: string): Promise<void> {
  await storeCall("redis", () =>
    redis.eval(
      SUSPEND,
      [suspendedKey(nodeId), announcedKey(nodeId)],
      [reason, String(MARK_TTL_S), nodeId],
    ),
  );
}

export async function liftSuspension(redis: Redis, nodeId: string): Promise<void> {
  await storeCall("redis", () => redis.del(suspendedKey(nodeId)));
}
