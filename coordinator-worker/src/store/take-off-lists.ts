import type { Redis } from "@upstash/redis/cloudflare";
import { announcedKey } from "./live-keys";
import { storeCall } from "./store-call";

// Whatever a node announced last goes with its mark, in one step: no heartbeat can come in between.
const MARK_AND_TAKE_OFF = `
for at = 1, #KEYS, 2 do
  redis.call('SET', KEYS[at], ARGV[at + 1], 'EX', ARGV[1])
  local said = redis.call('GET', KEYS[at + 1])
  if said then
    for _, gone in ipairs(cjson.decode(said)) do redis.call('HDEL', gone, ARGV[at + 2]) end
    redis.call('DEL', KEYS[at + 1])
  end
end
return 1`;

/** Nodes in one call: Redis does nothing else meanwhile. */
const MOST_AT_ONCE = 500;

export type Mark = { readonly nodeId: string; readonly key: string; readonly value: string };

/** Writes marks that keep nodes' heartbeats from counting, and offers those nodes to nobody from then on. */
export async function markAndTakeOff(
  redis: Redis,
  marks: readonly Mark[],
  ttlS: number,
): Promise<void> {
  for (let from = 0; from < marks.length; from += MOST_AT_ONCE) {
    const some = marks.slice(from, from + MOST_AT_ONCE);
    const names = some.flatMap(({ key, nodeId }) => [key, announcedKey(nodeId)]);
    const values = some.flatMap(({ value, nodeId }) => [value, nodeId]);
    await storeCall("redis", () => redis.eval(MARK_AND_TAKE_OFF, names, [String(ttlS), ...values]));
  }
}
