import { type Candidate } from "#protocol/authorize";
import { NODE_DEAD_AFTER_S } from "#protocol/heartbeat";
import { MAX_CANDIDATES } from "#protocol/ticket";
import type { LiveOffer } from "./live-offer";

/** Guesses until nodes report measured rates: loading a cold model, and one request ahead in the queue. */
const COLD_LOAD_MS = 10_000;
const REQUEST_MS = 2_000;
/** Expected times closer than this are a tie, broken at random so that load spreads. */
const TIE_MS = 250;

/**
 * Up to three live nodes for a model, the one expected to finish first in front.
 * `random` gives numbers in [0, 1) and breaks near-ties.
 */
export function chooseCandidates(
  offers: readonly LiveOffer[],
  exclude: readonly string[],
  nowMs: number,
  random: () => number,
): Omit<Candidate, "own">[] {
  return offers
    .filter((offer) => isAlive(offer, nowMs) && !exclude.includes(offer.node_id))
    .map((offer) => ({ offer, ms: expectedMs(offer), rank: random() }))
    .toSorted((a, b) => Math.floor(a.ms / TIE_MS) - Math.floor(b.ms / TIE_MS) || a.rank - b.rank)
    .slice(0, MAX_CANDIDATES)
    .map(({ offer, ms }) => ({
      node_id: offer.node_id,
      urls: offer.urls,
      engine: offer.engine,
      rate: offer.rate,
      expected_ms: ms,
    }));
}

export function isAlive(offer: { readonly seen_at_ms: number }, nowMs: number): boolean {
  return nowMs - offer.seen_at_ms < NODE_DEAD_AFTER_S * 1_000;
}

function expectedMs(offer: LiveOffer): number {
  const ahead = Math.max(0, offer.running + offer.waiting - offer.concurrency + 1);
  const queueMs = Math.ceil((ahead / offer.concurrency) * REQUEST_MS);
  return (offer.cold ? COLD_LOAD_MS : 0) + queueMs;
}
