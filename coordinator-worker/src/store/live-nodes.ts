import { NodeListing } from "#protocol/directory";
import { type Heartbeat, NODE_DEAD_AFTER_S } from "#protocol/heartbeat";
import type { ModelOffer } from "#protocol/model-offer";
import type { ProofClaims } from "#protocol/proof";
import type { Redis } from "@upstash/redis/cloudflare";
import { z } from "zod";
import { LiveOffer } from "../domain/live-offer";
import { markedPipeline, REPLAY_TTL_S, replayKey } from "./replay";
import { storeCall } from "./store-call";

/** Nodes drawn at random for one choice: enough that some are alive and good, however many there are. */
const SAMPLE = 12;
const LIVE_TTL_S = 2 * NODE_DEAD_AFTER_S;
const FIRST_SEEN_TTL_S = 30 * 24 * 60 * 60;
const PAGE = 100;

/** Per network: nodes (hash by id), offers (hash by node id, one for each model), models by when last seen. */
const keys = {
  nodes: (network: string) => `nodes:${network}`,
  offers: (network: string, model: string) => `offers:${network}:${model}`,
  models: (network: string) => `models:${network}`,
  firstSeen: (network: string) => `first-seen:${network}`,
};

const StoredNode = NodeListing.omit({ seen_at: true }).extend({ seen_at_ms: z.int() });

type Command = (string | number)[];

export type NodeFacts = {
  readonly nodeId: string;
  readonly userId: string;
  readonly networks: readonly string[];
  readonly rate: number;
};

// Refuses a replayed proof before anything else, then runs the commands: one call, all or nothing. A model leaves the
// list with its last node; models not seen for a month are forgotten, so that nothing grows for ever.
const APPLY_ONCE = `
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return 0 end
for _, command in ipairs(cjson.decode(ARGV[2])) do redis.call(unpack(command)) end
for _, gone in ipairs(cjson.decode(ARGV[3])) do
  redis.call('HDEL', gone.offers, gone.node)
  if redis.call('HLEN', gone.offers) == 0 then redis.call('ZREM', gone.models, gone.model) end
end
for _, network in ipairs(cjson.decode(ARGV[4])) do
  local old = redis.call('ZRANGEBYSCORE', network.models, '-inf', ARGV[5], 'LIMIT', 0, 100)
  for _, model in ipairs(old) do
    redis.call('ZREM', network.models, model)
    redis.call('HDEL', network.firstSeen, model)
  end
end
return 1`;

/** Writes what a node said; false where the proof was used before. One round trip. */
export async function recordHeartbeat(
  redis: Redis,
  proof: ProofClaims,
  node: NodeFacts,
  said: Heartbeat,
  nowMs: number,
): Promise<boolean> {
  const isLeaving = said.state === "leaving";
  const commands = node.networks.flatMap((network) =>
    isLeaving ? [["HDEL", keys.nodes(network), node.nodeId]] : announce(network, node, said, nowMs),
  );
  const gone = [...said.withdrawn, ...(isLeaving ? said.models.map((model) => model.id) : [])];
  const withdrawn = node.networks.flatMap((network) =>
    gone.map((model) => ({
      offers: keys.offers(network, model),
      models: keys.models(network),
      node: node.nodeId,
      model,
    })),
  );
  const networks = node.networks.map((network) => ({
    models: keys.models(network),
    firstSeen: keys.firstSeen(network),
  }));
  const parts = [commands, withdrawn, networks].map((part) => JSON.stringify(part));
  const forgetBeforeMs = nowMs - FIRST_SEEN_TTL_S * 1_000;
  const applied = await storeCall("redis", () =>
    redis.eval(
      APPLY_ONCE,
      [replayKey(proof)],
      [String(REPLAY_TTL_S), ...parts, String(forgetBeforeMs)],
    ),
  );
  return Number(applied) === 1;
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
      .hrandfield(keys.offers(network, model), SAMPLE, true)
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

export type SeenModel = { readonly id: string; readonly firstSeenS: number };

/** The models that some node offered within the time that a node may be silent. One round trip. */
export async function readModels(
  redis: Redis,
  proof: ProofClaims,
  network: string,
  nowMs: number,
): Promise<{ replayed: boolean; models: SeenModel[] }> {
  const [mark, ids, firstSeen] = await storeCall("redis", () =>
    markedPipeline(redis, proof)
      .zrange<string[]>(keys.models(network), nowMs - NODE_DEAD_AFTER_S * 1_000, "+inf", {
        byScore: true,
      })
      .hgetall(keys.firstSeen(network))
      .exec<[string | null, string[], string[]]>(),
  );
  const firstSeenS = new Map(pairs(firstSeen));
  const models = ids.map((id) => ({ id, firstSeenS: Number(firstSeenS.get(id) ?? 0) }));
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
  const isAlive = (node: { seen_at_ms: number }) =>
    nowMs - node.seen_at_ms < NODE_DEAD_AFTER_S * 1_000;
  const nodes = stored
    .filter(isAlive)
    .map(({ seen_at_ms, ...node }) => ({ ...node, seen_at: new Date(seen_at_ms).toISOString() }));
  const dead = stored.filter((node) => !isAlive(node)).map((node) => node.node_id);
  return { replayed: mark === null, next, nodes, dead };
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
