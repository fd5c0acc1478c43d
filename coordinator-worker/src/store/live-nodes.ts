import type { NodeListing } from "#protocol/directory";
import { NODE_DEAD_AFTER_S } from "#protocol/heartbeat";
import { PUBLIC_NETWORK } from "#protocol/names";
import type { ProofClaims } from "#protocol/proof";
import type { Redis } from "@upstash/redis/cloudflare";
import type { z } from "zod";
import { isAlive } from "../domain/choose-candidates";
import { LiveOffer } from "../domain/live-offer";
import { remember } from "#protocol/remember";
import { announcedKey, liveKeys as keys } from "./live-keys";
import { ratesKey } from "./model-rates";
import { markedPipeline } from "./replay";
import { storeCall } from "./store-call";
import { StoredNode } from "./stored-node";

/** Nodes drawn at random for one choice: enough that some are alive and good, however many there are. */
const SAMPLE = 12;
/** In a private network, which is small, so that a user's own nodes are among them. */
const PRIVATE_SAMPLE = 64;
const PAGE = 100;

export type AskedNodes = {
  readonly only?: readonly string[] | undefined;
  readonly prefer?: readonly string[] | undefined;
};

/**
 * Nodes that said they offer the model: those asked for by name and, unless only these will do, some drawn at random; the
 * dead ones among them too. One round trip.
 */
export async function sampleOffers(
  redis: Redis,
  proof: ProofClaims,
  network: string,
  model: string,
  { only, prefer = [] }: AskedNodes = {},
): Promise<{ replayed: boolean; offers: LiveOffer[] }> {
  const offersKey = keys.offers(network, model);
  const named = only ?? prefer;
  const sampleSize = network === PUBLIC_NETWORK ? SAMPLE : PRIVATE_SAMPLE;
  const pipeline = markedPipeline(redis, proof);
  if (named.length > 0) pipeline.hmget(offersKey, ...named);
  if (only === undefined) pipeline.hrandfield(offersKey, sampleSize, true);
  const [mark, ...found] = await storeCall("redis", () =>
    pipeline.exec<[string | null, ...(string | null)[][]]>(),
  );
  const ofNamed = named.length > 0 ? (found.shift() ?? []) : [];
  const drawn = found[0] ?? [];
  const flat = [
    ...named.flatMap((id, at) => (ofNamed[at] == null ? [] : [id, ofNamed[at]])),
    ...drawn.flatMap((_, at) => {
      const [id, offer] = [drawn[at], drawn[at + 1]];
      const isNew = at % 2 === 0 && id != null && offer != null && !named.includes(id);
      return isNew ? [id, offer] : [];
    }),
  ];
  return { replayed: mark === null, offers: pairs(flat).flatMap(([, text]) => offersIn(text)) };
}

/** By the text of an offer: what it says. Until its node's next heartbeat the same text comes again and again. */
const known = new Map<string, readonly LiveOffer[]>();
const MOST_KEPT = 1_000;

/** The one offer in a text; none where this version cannot read it. */
function offersIn(text: string): readonly LiveOffer[] {
  const before = known.get(text);
  if (before !== undefined) return before;
  const { success, data } = LiveOffer.safeParse(parsed(text));
  const offers = success ? [data] : [];
  remember(known, MOST_KEPT, text, offers);
  return offers;
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
  const stored = readable(StoredNode, flat);
  const nodes = stored
    .filter((node) => isAlive(node, nowMs))
    .map(({ seen_at_ms, ...node }) => ({ ...node, seen_at: new Date(seen_at_ms).toISOString() }));
  const dead = stored.filter((node) => !isAlive(node, nowMs)).map((node) => node.node_id);
  return { replayed: mark === null, next, nodes, dead };
}

/** Which of these nodes are offered, in whatever network: heard of lately, and taken off no list since. One round trip. */
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

/** Redis answers a hash as field, value, field, value … */
function pairs(flat: readonly string[]): [string, string][] {
  return flat.flatMap((field, place): [string, string][] =>
    place % 2 === 0 ? [[field, flat[place + 1] ?? ""]] : [],
  );
}

/** The values of a hash that this version can read: what another one wrote is as good as not there. */
function readable<Shape extends z.ZodType>(
  shape: Shape,
  flat: readonly string[],
): z.infer<Shape>[] {
  return pairs(flat).flatMap(([, value]) => {
    const { success, data } = shape.safeParse(parsed(value));
    return success ? [data] : [];
  });
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
