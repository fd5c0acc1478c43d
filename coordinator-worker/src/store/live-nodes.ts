import { NodeListing } from "#protocol/directory";
import { type Heartbeat, NODE_DEAD_AFTER_S } from "#protocol/heartbeat";
import type { ModelOffer } from "#protocol/model-offer";
import { PUBLIC_NETWORK } from "#protocol/names";
import type { ProofClaims } from "#protocol/proof";
import type { Redis } from "@upstash/redis/cloudflare";
import { z } from "zod";
import { isAlive } from "../domain/choose-candidates";
import { LiveOffer } from "../domain/live-offer";
import { banKey, liveKeys as keys } from "./live-keys";
import { ratesKey } from "./model-rates";
import { markedPipeline, REPLAY_TTL_S, replayKey } from "./replay";
import { storeCall } from "./store-call";

/** Nodes drawn at random for one choice: enough that some are alive and good, however many there are. */
const SAMPLE = 12;
/** In a private network, which is small, so that a user's own nodes are among them. */
const PRIVATE_SAMPLE = 64;
const LIVE_TTL_S = 2 * NODE_DEAD_AFTER_S;
const FIRST_SEEN_TTL_S = 30 * 24 * 60 * 60;
const PAGE = 100;

/** Where an operator's word about a node lies: why it may not serve. */
export const suspendedKey = (nodeId: string) => `suspended:${nodeId}`;

/** The hashes that a node's latest heartbeat stands in, as JSON: whoever takes it off the lists has to know them all. */
export const announcedKey = (nodeId: string) => `announced:${nodeId}`;

const StoredNode = NodeListing.omit({ seen_at: true }).extend({ seen_at_ms: z.int() });

type Command = (string | number)[];

export type NodeFacts = {
  readonly nodeId: string;
  readonly userId: string;
  readonly networks: readonly string[];
  readonly rate: number;
};

// Refuses a replayed proof before anything else, and takes nothing from a suspended node; then takes one network after the other: one call, all or nothing. In a
// network in which its user may not serve any more, a node leaves the lists. A model leaves the list with its last node;
// models not seen for a month are forgotten, so that nothing grows for ever. Answers the networks that were refused.
const APPLY_ONCE = `
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return {0} end
local why = redis.call('GET', KEYS[2])
if why then return {2, why} end
local node = ARGV[2]
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
redis.call(unpack(cjson.decode(ARGV[5])))
return {1, table.concat(banned, ' ')}`;

/**
 * Writes what a node said, unless it is suspended or the proof was used before, and except in networks from which its
 * user is banned. One round trip.
 */
export async function recordHeartbeat(
  redis: Redis,
  proof: ProofClaims,
  node: NodeFacts,
  said: Heartbeat,
  nowMs: number,
): Promise<Recorded> {
  const isLeaving = said.state === "leaving";
  const announced = announcedKey(node.nodeId);
  const remember: Command = isLeaving
    ? ["DEL", announced]
    : ["SET", announced, JSON.stringify(hashesOf(node, said)), "EX", LIVE_TTL_S];
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
      [replayKey(proof), suspendedKey(node.nodeId)],
      [
        String(REPLAY_TTL_S),
        node.nodeId,
        JSON.stringify(networks),
        String(forgetBeforeMs),
        JSON.stringify(remember),
      ],
    ),
  );
  const [outcome, text = ""] = applied;
  if (Number(outcome) === 0) return { outcome: "replayed" };
  if (Number(outcome) === 2) return { outcome: "suspended", why: text };
  return { outcome: "recorded", banned: text.split(" ").filter((network) => network !== "") };
}

type Recorded =
  | { readonly outcome: "recorded"; readonly banned: readonly string[] }
  | { readonly outcome: "replayed" }
  | { readonly outcome: "suspended"; readonly why: string };

function hashesOf(node: NodeFacts, said: Heartbeat): string[] {
  return node.networks.flatMap((network) => [
    keys.nodes(network),
    ...said.models.map((model) => keys.offers(network, model.id)),
  ]);
}

function announce(network: string, node: NodeFacts, said: Heartbeat, nowMs: number): Command[] {
  const listing: z.infer<typeof StoredNode> = {
    node_id: node.nodeId,
    network,
    state: said.state === "busy" ? "busy" : "serving",
    models: said.models,
    rate: node.rate,
    running: said.running,
    waiting: said.waiting,
    concurrency: said.concurrency,
    version: said.version,
    seen_at_ms: nowMs,
  };
  return [
    ["HSET", keys.nodes(network), node.nodeId, JSON.stringify(listing)],
    ["EXPIRE", keys.nodes(network), LIVE_TTL_S],
    ...said.models.flatMap((model) => offer(network, node, said, model, nowMs)),
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
    seen_at_ms: nowMs,
  };
  return [
    ["HSET", keys.offers(network, model.id), node.nodeId, JSON.stringify(live)],
    ["EXPIRE", keys.offers(network, model.id), LIVE_TTL_S],
    ["ZADD", keys.models(network), nowMs, model.id],
    ["HSETNX", keys.firstSeen(network), model.id, Math.floor(nowMs / 1_000)],
  ];
}

/** Some nodes that said they offer the model, drawn at random; the dead ones among them too. One round trip. */
export async function sampleOffers(
  redis: Redis,
  proof: ProofClaims,
  network: string,
  model: string,
): Promise<{ replayed: boolean; offers: LiveOffer[] }> {
  const [mark, sample] = await storeCall("redis", () =>
    markedPipeline(redis, proof)
      .hrandfield(
        keys.offers(network, model),
        network === PUBLIC_NETWORK ? SAMPLE : PRIVATE_SAMPLE,
        true,
      )
      .exec<[string | null, string[]]>(),
  );
  const offers = pairs(sample).map(([, value]) => LiveOffer.parse(JSON.parse(value)));
  return { replayed: mark === null, offers };
}

/** Forgets offers of nodes that are dead, so that samples stay useful. */
export async function dropOffers(
  redis: Redis,
  network: string,
  model: string,
  nodeIds: readonly string[],
): Promise<void> {
  const [first, ...rest] = nodeIds;
  if (first === undefined) return;
  await storeCall("redis", () => redis.hdel(keys.offers(network, model), first, ...rest));
}

export type SeenModel = {
  readonly id: string;
  readonly firstSeenS: number;
  /** Microcredits for 1,000 completion tokens, where the network has learned it. */
  readonly rate: number | undefined;
};

/** The models that some node offered within the time that a node may be silent. One round trip. */
export async function readModels(
  redis: Redis,
  proof: ProofClaims,
  network: string,
  nowMs: number,
): Promise<{ replayed: boolean; models: SeenModel[] }> {
  const [mark, ids, firstSeen, rates] = await storeCall("redis", () =>
    markedPipeline(redis, proof)
      .zrange<string[]>(keys.models(network), nowMs - NODE_DEAD_AFTER_S * 1_000, "+inf", {
        byScore: true,
      })
      .hgetall(keys.firstSeen(network))
      .hgetall(ratesKey(network))
      .exec<[string | null, string[], string[], string[]]>(),
  );
  const firstSeenS = new Map(pairs(firstSeen));
  const rateOf = new Map(pairs(rates).map(([id, rate]) => [id, Number(rate)]));
  const models = ids.map((id) => ({
    id,
    firstSeenS: Number(firstSeenS.get(id) ?? 0),
    rate: rateOf.get(id),
  }));
  return { replayed: mark === null, models };
}

/**
 * One page of live nodes, and the ids of dead ones that were met; `cursor` is Redis's own, "0" at the start and at
 * the end.
 */
export async function readNodes(
  redis: Redis,
  proof: ProofClaims,
  network: string,
  cursor: string,
  nowMs: number,
): Promise<{ replayed: boolean; next: string; nodes: NodeListing[]; dead: string[] }> {
  const [mark, [next, flat]] = await storeCall("redis", () =>
    markedPipeline(redis, proof)
      .hscan(keys.nodes(network), cursor, { count: PAGE })
      .exec<[string | null, [string, string[]]]>(),
  );
  const stored = pairs(flat).map(([, value]) => StoredNode.parse(JSON.parse(value)));
  const nodes = stored
    .filter((node) => isAlive(node, nowMs))
    .map(({ seen_at_ms, ...node }) => ({ ...node, seen_at: new Date(seen_at_ms).toISOString() }));
  const dead = stored.filter((node) => !isAlive(node, nowMs)).map((node) => node.node_id);
  return { replayed: mark === null, next, nodes, dead };
}

/** Which of these nodes stand in some list, of whatever network. One round trip. */
export async function readAnnounced(
  redis: Redis,
  nodeIds: readonly string[],
): Promise<Set<string>> {
  if (nodeIds.length === 0) return new Set();
  const found = await storeCall("redis", () =>
    redis.mget<(string | null)[]>(nodeIds.map(announcedKey)),
  );
  return new Set(nodeIds.filter((_, place) => typeof found[place] === "string"));
}

/** Forgets nodes that are dead, so that the list stays short. */
export async function dropNodes(
  redis: Redis,
  network: string,
  [first, ...rest]: readonly string[],
): Promise<void> {
  if (first === undefined) return;
  await storeCall("redis", () => redis.hdel(keys.nodes(network), first, ...rest));
}

/** Marks a proof as used where nothing else is asked of Redis; false where it was used before. */
export async function markProof(redis: Redis, proof: ProofClaims): Promise<boolean> {
  const mark = await storeCall("redis", () =>
    redis.set(replayKey(proof), "1", { nx: true, ex: REPLAY_TTL_S }),
  );
  return mark !== null;
}

/** Redis answers a hash as field, value, field, value … */
function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((field, place): [string, string][] =>
    place % 2 === 0 ? [[field, flat[place + 1] ?? ""]] : [],
  );
}
