import { type Candidate, type NodeObservation } from "#protocol/authorize";
import { NODE_DEAD_AFTER_S } from "#protocol/heartbeat";
import type { PassedOver } from "#protocol/statement";
import { MAX_CANDIDATES } from "#protocol/ticket";
import type { LiveOffer } from "./live-offer";

/** Guesses until nodes report measured rates: loading a cold model, and one request ahead in the queue. */
const COLD_LOAD_MS = 10_000;
const REQUEST_MS = 2_000;
/** Expected times closer than this are a tie, broken at random so that load spreads. */
const TIE_MS = 250;
/** A node that stops sooner outlives no ticket; it serves where nobody else can. */
const SHORT_STAY_MS = 5 * 60_000;

/**
 * Up to three live nodes for a model, the one expected to finish first in front.
 * `random` gives numbers in [0, 1) and breaks near-ties. Nodes in `prefer` come before all others, then those of
 * `firstOwner`; nodes that stay come before those that are about to stop.
 */
export function chooseCandidates(
  offers: readonly LiveOffer[],
  exclude: readonly string[],
  nowMs: number,
  random: () => number,
  firstOwner: string | null = null,
  prefer: readonly string[] = [],
): Omit<Candidate, "own">[] {
  const turnOf = (offer: LiveOffer): number => {
    if (prefer.includes(offer.node_id)) return 0;
    return offer.user_id === firstOwner ? 1 : 2;
  };
  return offers
    .filter((offer) => isAlive(offer, nowMs) && !exclude.includes(offer.node_id))
    .map((offer) => ({
      offer,
      ms: expectedMs(offer),
      rank: random(),
      turn: turnOf(offer),
      isShort: stopsSoon(offer, nowMs) ? 1 : 0,
    }))
    .toSorted(
      (a, b) =>
        a.turn - b.turn ||
        a.isShort - b.isShort ||
        Math.floor(a.ms / TIE_MS) - Math.floor(b.ms / TIE_MS) ||
        a.rank - b.rank,
    )
    .slice(0, MAX_CANDIDATES)
    .map(({ offer, ms }) => ({
      node_id: offer.node_id,
      urls: offer.urls,
      e2e_key: offer.e2e_key,
      engine: offer.engine,
      rate: offer.rate,
      expected_ms: ms,
    }));
}

/** What became of each node that was looked at, for its owner to see. */
export function verdicts(
  offers: readonly LiveOffer[],
  chosen: readonly { readonly node_id: string }[],
  exclude: readonly string[],
  nowMs: number,
): { readonly offer: LiveOffer; readonly verdict: Verdict }[] {
  const named = new Set(chosen.map(({ node_id }) => node_id));
  const verdictOf = (offer: LiveOffer): Verdict => {
    if (named.has(offer.node_id)) return "chosen";
    if (!isAlive(offer, nowMs)) return "gone";
    if (exclude.includes(offer.node_id)) return "left_out";
    if (offer.running + offer.waiting >= offer.concurrency) return "busy";
    return offer.cold ? "cold" : "slower";
  };
  return offers.map((offer) => ({ offer, verdict: verdictOf(offer) }));
}

/** What clients say became of their requests to nodes that were looked at. */
export function observations(
  offers: readonly LiveOffer[],
  observed: readonly NodeObservation[],
): { readonly offer: LiveOffer; readonly verdict: Verdict; readonly times: number }[] {
  return observed.flatMap(({ node_id, failed, full }) => {
    const offer = offers.find((one) => one.node_id === node_id);
    if (offer === undefined) return [];
    const counts = [
      { offer, verdict: "failed" as const, times: failed },
      { offer, verdict: "full" as const, times: full },
    ];
    return counts.filter(({ times }) => times > 0);
  });
}

export type Verdict = "chosen" | PassedOver;

export function isAlive(offer: { readonly seen_at_ms: number }, nowMs: number): boolean {
  return nowMs - offer.seen_at_ms < NODE_DEAD_AFTER_S * 1_000;
}

function stopsSoon({ lends_until: untilS }: LiveOffer, nowMs: number): boolean {
  return untilS !== undefined && untilS * 1_000 - nowMs < SHORT_STAY_MS;
}

function expectedMs(offer: LiveOffer): number {
  const ahead = Math.max(0, offer.running + offer.waiting - offer.concurrency + 1);
  const queueMs = Math.ceil((ahead / offer.concurrency) * REQUEST_MS);
  return (offer.cold ? COLD_LOAD_MS : 0) + queueMs;
}
