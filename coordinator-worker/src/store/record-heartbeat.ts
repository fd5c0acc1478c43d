import { type Heartbeat, NODE_DEAD_AFTER_S } from "#protocol/heartbeat";
import type { ModelOffer } from "#protocol/model-offer";
import type { ProofClaims } from "#protocol/proof";
import type { Redis } from "@upstash/redis/cloudflare";
import type { LiveOffer } from "../domain/live-offer";
import {
  announcedKey,
  banKey,
  linkedToKey,
  liveKeys as keys,
  REMEMBERS_SINCE_KEY,
  REMEMBERS_SINCE_TTL_S,
  signedOutKey,
  suspendedKey,
} from "./live-keys";
import { REPLAY_TTL_S, replayKey } from "./replay";
import { storeCall } from "./store-call";
import type { StoredNode } from "./stored-node";

const LIVE_TTL_S = 2 * NODE_DEAD_AFTER_S;
const FIRST_SEEN_TTL_S = 30 * 24 * 60 * 60;

/**
 * Offers that one node may have over all its networks. Each is some commands, and Redis does nothing else meanwhile: 256
 * models in 50 networks would stop everybody for seconds.
 */
const MOST_OFFERS = 1_024;

type Command = (string | number)[];

export type NodeFacts = {
  readonly nodeId: string;
  readonly userId: string;
  readonly networks: readonly string[];
  readonly rate: number;
  /** When it was enrolled, in seconds. */
  readonly enrolledAtS: number;
};

// Refuses a replayed proof before anything else, an enrolment from before the node was signed out, given to another user or
// this Redis began to remember, and takes nothing from a suspended node. Then takes one network after the other: one call, all or nothing. In a
// network in which its user may not serve any more, a node leaves the lists, as it does where it stood before and names no
// more. A model leaves the list with its last node; models not seen for a month are forgotten, so that nothing grows for
// ever. Answers the networks that were refused.
const APPLY_ONCE = `
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return {0} end
local now, enrolled = tonumber(ARGV[6]), tonumber(ARGV[7])
redis.call('SET', KEYS[5], now, 'NX', 'EX', ARGV[8])
local ended = redis.call('GET', KEYS[3])
if enrolled < tonumber(redis.call('GET', KEYS[5])) then return {3} end
if ended and enrolled * 1000 <= tonumber(ended) then return {3} end
local owner = redis.call('GET', KEYS[6])
if owner and owner ~= ARGV[10] then return {3} end
local why = redis.call('GET', KEYS[2])
if why then return {2, why} end
local node = ARGV[2]
local said = {}
for _, hash in ipairs(cjson.decode(ARGV[5])) do said[hash] = true end
for _, hash in ipairs(cjson.decode(redis.call('GET', KEYS[4]) or '[]')) do
  if not said[hash] then redis.call('HDEL', hash, node) end
end
local banned = {}
for _, network in ipairs(cjson.decode(ARGV[3])) do
  local gone = network.gone
  if redis.call('EXISTS', unpack(network.bans)) > 0 then
    table.insert(banned, network.id)
    redis.call('HDEL', network.nodes, node)
    for _, offered in ipairs(network.offered) do table.insert(gone, offered) end
  else
    for _, command in ipairs(network.commands) do redis.call(unpack(command)) end
  end
  for _, offer in ipairs(gone) do
    redis.call('HDEL', offer.offers, node)
    if redis.call('HLEN', offer.offers) == 0 then redis.call('ZREM', network.models, offer.model) end
  end
  local old = redis.call('ZRANGEBYSCORE', network.models, '-inf', ARGV[4], 'LIMIT', 0, 100)
  for _, model in ipairs(old) do
    redis.call('ZREM', network.models, model)
    redis.call('HDEL', network.firstSeen, model)
  end
end
if next(said) then redis.call('SET', KEYS[4], ARGV[5], 'EX', ARGV[9]) else redis.call('DEL', KEYS[4]) end
return {1, table.concat(banned, ' ')}`;

/**
 * Writes what a node said, unless it is suspended, its enrolment counts no more or the proof was used before, and except in
 * networks from which its user is banned. One round trip.
 */
export async function recordHeartbeat(
  redis: Redis,
  proof: ProofClaims,
  node: NodeFacts,
  wholeSaid: Heartbeat,
  nowMs: number,
): Promise<Recorded> {
  const said = fitting(wholeSaid, node.networks.length);
  const isLeaving = said.state === "leaving" || said.state === "paused";
  const announced = isLeaving ? [] : hashesOf(node, said);
  const networks = node.networks.map((network) => {
    const offerOf = (model: string) => ({ model, offers: keys.offers(network, model) });
    const offered = said.models.map(({ id }) => offerOf(id));
    return {
      id: network,
      // Enrolments name the user that a peer had then; it may belong to another by now.
      bans: [banKey(network, node.userId), banKey(network, node.nodeId)],
      nodes: keys.nodes(network),
      models: keys.models(network),
      firstSeen: keys.firstSeen(network),
      commands: isLeaving
        ? [["HDEL", keys.nodes(network), node.nodeId]]
        : announce(network, node, said, nowMs),
      offered,
      gone: [...said.withdrawn.map(offerOf), ...(isLeaving ? offered : [])],
    };
  });
  const forgetBeforeMs = nowMs - FIRST_SEEN_TTL_S * 1_000;
  const applied = await storeCall("redis", () =>
    redis.eval<string[], [number | string, string?]>(
      APPLY_ONCE,
      [
        replayKey(proof),
        suspendedKey(node.nodeId),
        signedOutKey(node.nodeId),
        announcedKey(node.nodeId),
        REMEMBERS_SINCE_KEY,
        linkedToKey(node.nodeId),
      ],
      [
        String(REPLAY_TTL_S),
        node.nodeId,
        JSON.stringify(networks),
        String(forgetBeforeMs),
        JSON.stringify(announced),
        String(Math.floor(nowMs / 1_000)),
        String(node.enrolledAtS),
        String(REMEMBERS_SINCE_TTL_S),
        String(NODE_DEAD_AFTER_S),
        node.userId,
      ],
    ),
  );
  const [outcome, text = ""] = applied;
  if (Number(outcome) === 0) return { outcome: "replayed" };
  if (Number(outcome) === 2) return { outcome: "suspended", why: text };
  if (Number(outcome) === 3) return { outcome: "enrolment_over" };
  return { outcome: "recorded", banned: text.split(" ").filter((network) => network !== "") };
}

type Recorded =
  | { readonly outcome: "recorded"; readonly banned: readonly string[] }
  | { readonly outcome: "replayed" }
  | { readonly outcome: "enrolment_over" }
  | { readonly outcome: "suspended"; readonly why: string };

/** What counts of a heartbeat: of very many models in very many networks the first ones. */
function fitting(said: Heartbeat, networks: number): Heartbeat {
  const most = Math.floor(MOST_OFFERS / Math.max(1, networks));
  const { models, withdrawn } = said;
  if (models.length <= most && withdrawn.length <= most) return said;
  return { ...said, models: models.slice(0, most), withdrawn: withdrawn.slice(0, most) };
}

function hashesOf(node: NodeFacts, said: Heartbeat): string[] {
  return node.networks.flatMap((network) => [
    keys.nodes(network),
    ...said.models.map((model) => keys.offers(network, model.id)),
  ]);
}

function announce(network: string, node: NodeFacts, said: Heartbeat, nowMs: number): Command[] {
  const listing: StoredNode = {
    node_id: node.nodeId,
    network,
    state: said.state === "busy" ? "busy" : "serving",
    models: said.models,
    rate: node.rate,
    running: said.running,
    waiting: said.waiting,
    concurrency: said.concurrency,
    version: said.version,
    ...(said.lends_until !== undefined && { lends_until: said.lends_until }),
    ...(said.gpus !== undefined && { gpus: said.gpus }),
    ...(said.speeds !== undefined && { speeds: said.speeds }),
    seen_at_ms: nowMs,
  };
  const seen = ["ZADD", keys.models(network), ...said.models.flatMap(({ id }) => [nowMs, id])];
  return [
    ["HSET", keys.nodes(network), node.nodeId, JSON.stringify(listing)],
    ["EXPIRE", keys.nodes(network), LIVE_TTL_S],
    ...said.models.flatMap((model) => offer(network, node, said, model, nowMs)),
    ...(said.models.length > 0 ? [seen] : []),
    ["EXPIRE", keys.models(network), FIRST_SEEN_TTL_S],
    ["EXPIRE", keys.firstSeen(network), FIRST_SEEN_TTL_S],
  ];
}

function offer(
  network: string,
  node: NodeFacts,
  said: Heartbeat,
  model: ModelOffer,
  nowMs: number,
): Command[] {
  const live: LiveOffer = {
    node_id: node.nodeId,
    user_id: node.userId,
    urls: said.urls,
    e2e_key: said.e2e_key,
    engine: model.engine,
    rate: node.rate,
    cold: model.state === "cold",
    running: said.running,
    waiting: said.waiting,
    concurrency: said.concurrency,
    ...(said.lends_until !== undefined && { lends_until: said.lends_until }),
    seen_at_ms: nowMs,
  };
  return [
    ["HSET", keys.offers(network, model.id), node.nodeId, JSON.stringify(live)],
    ["EXPIRE", keys.offers(network, model.id), LIVE_TTL_S],
    ["HSETNX", keys.firstSeen(network), model.id, Math.floor(nowMs / 1_000)],
  ];
}
