import type { Redis } from "@upstash/redis/cloudflare";
import { announcedKey } from "./live-keys";
import { storeCall } from "./store-call";

// Whatever the node announced last goes with the mark, in one step: no heartbeat can come in between.
const MARK_AND_TAKE_OFF = `
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
local said = redis.call('GET', KEYS[2])
if not said then return 0 end
for _, gone in ipairs(cjson.decode(said)) do redis.call('HDEL', gone, ARGV[3]) end
redis.call('DEL', KEYS[2])
return 1`;

/** Writes a mark that keeps a node's heartbeats from counting, and offers it to nobody from then on. */
export async function markAndTakeOff(
  redis: Redis,
  nodeId: string,
  mark: { readonly key: string; readonly value: string; readonly ttlS: number },
): Promise<void> {
  await storeCall("redis", () =>
    redis.eval(
      MARK_AND_TAKE_OFF,
      [mark.key, announcedKey(nodeId)],
      [mark.value, String(mark.ttlS), nodeId],
    ),
  );
}
