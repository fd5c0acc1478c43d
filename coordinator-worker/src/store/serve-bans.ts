import { ENROLMENT_COUNTS_S } from "#protocol/enrolment";
import type { Redis } from "@upstash/redis/cloudflare";
import { announcedKey, banKey, liveKeys } from "./live-keys";
import { storeCall } from "./store-call";

/** A user with the peers that it has now. */
export type Lender = { readonly userId: string; readonly peers: readonly string[] };

// The ban and the end of what the nodes announced in this network, in one step: no heartbeat can come in between.
const BAN = `
local network = cjson.decode(ARGV[1])
for _, ban in ipairs(network.bans) do redis.call('SET', ban, '1', 'EX', ARGV[2]) end
for _, node in ipairs(network.nodes) do
  local said = redis.call('GET', node.announced)
  for _, hash in ipairs(said and cjson.decode(said) or {}) do
    if hash == network.list then redis.call('HDEL', hash, node.id) end
    if string.sub(hash, 1, #network.offers) == network.offers then
      redis.call('HDEL', hash, node.id)
      if redis.call('HLEN', hash) == 0 then
        redis.call('ZREM', network.models, string.sub(hash, #network.offers + 1))
      end
    end
  end
end
return 1`;

/** From now on none of their nodes serves in the network, whatever their enrolments say. */
export async function banServing(
  redis: Redis,
  network: string,
  lenders: readonly Lender[],
): Promise<void> {
  if (lenders.length === 0) return;
  const nodes = lenders.flatMap(({ peers }) => peers);
  const what = {
    bans: bansOf(network, lenders),
    nodes: nodes.map((id) => ({ id, announced: announcedKey(id) })),
    list: liveKeys.nodes(network),
    offers: liveKeys.offers(network, ""),
    models: liveKeys.models(network),
  };
  const parts = [JSON.stringify(what), String(ENROLMENT_COUNTS_S)];
  await storeCall("redis", () => redis.eval(BAN, [], parts));
}

/** Lifts what `banServing` did, for those who may serve again. */
export async function allowServing(
  redis: Redis,
  network: string,
  lenders: readonly Lender[],
): Promise<void> {
  const [first, ...rest] = bansOf(network, lenders);
  if (first !== undefined) await storeCall("redis", () => redis.del(first, ...rest));
}

function bansOf(network: string, lenders: readonly Lender[]): string[] {
  return lenders
    .flatMap(({ userId, peers }) => [userId, ...peers])
    .map((id) => banKey(network, id));
}
