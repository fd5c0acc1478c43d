import type { Authorization, Candidate } from "#protocol/authorize";
import { within } from "../../within";

/**
 * Seconds for which a budget has to last all that runs; else it is extended, and more requests wait until it has been.
 * Nodes end what runs soon after a lease is spent, and a thousand that begin at once would spend it before any answer of
 * the coordinator.
 */
export const LOW_S = 2;
/** For a larger ticket that is on its way. After that the node decides, or another lease does better. */
export const MOST_WAIT_MS = 10_000;

/** A node that a lease lets a client use. */
export type Place = { readonly node: Candidate; readonly lease: Lease };

/** A lease as its client uses it: numbers its requests and keeps count of what they may cost. */
export type Lease = {
  readonly id: string;
  /** As the app names it. */
  readonly model: string;
  /** By the clock that it was opened with. */
  readonly openedAtMs: number;
  readonly places: readonly Place[];
  /** A node does not have the model any more. */
  drop(nodeId: string): void;
  ticket(): string;
  /** Microcredits. */
  budget(): number;
  expiresAtMs(): number;
  /** The next request's number; each is used once. */
  nextSeq(): number;
  /** Starts counting a request on a node, at microcredits a second; the result ends it, once. */
  begin(rate: number): () => void;
  /** The same: at once where the budget covers it, else when it does or no larger one is on its way. */
  take(rate: number): (() => void) | Promise<() => void>;
  /** Microcredits that ended and running requests have cost at most, by the time that passed on this side. */
  spent(): number;
  /** Microcredits a second that the running requests cost together, and those that wait for a larger budget. */
  burnRate(): number;
  running(): number;
  /** A larger budget, a later end. */
  renewed(ticket: string, budget: number, expiresAtMs: number): void;
};

/** `nowMs`: a steady clock. `onUse` is called with each request that begins, or would; what it returns ends with the renewal that is under way. */
export function openLease(
  model: string,
  granted: Authorization,
  nowMs: () => number,
  onUse: () => Promise<void> | undefined = () => undefined,
): Lease {
  const openedAtMs = nowMs();
  let { ticket, budget } = granted;
  let expiresAtMs = granted.expires_at * 1_000;
  let seq = 0;
  // Kept as sums, so that a thousand running streams cost no more to count than one.
  let running = 0;
  let endedCost = 0;
  let runningRate = 0;
  let runningRateBySince = 0;
  let waitingRate = 0;
  const sinceOpenedMs = (): number => nowMs() - openedAtMs;
  const covers = (rate: number): boolean =>
    // The first one may begin at once, however much it costs: what is left is there for it.
    rate === 0 || running === 0 || budget - lease.spent() >= (runningRate + rate) * LOW_S;

  async function takeLarger(rate: number): Promise<() => void> {
    const untilMs = nowMs() + MOST_WAIT_MS;
    waitingRate += rate;
    for (;;) {
      const leftMs = untilMs - nowMs();
      const larger = leftMs <= 0 || covers(rate) ? undefined : onUse();
      if (larger === undefined) {
        // In the same turn as the look: whoever looks next shall see this one.
        waitingRate -= rate;
        return lease.begin(rate);
      }
      await within(leftMs, larger);
    }
  }

  const lease: Lease = {
    id: granted.lease_id,
    model,
    openedAtMs,
    get places() {
      return places;
    },
    drop(nodeId) {
      places = places.filter(({ node }) => node.node_id !== nodeId);
    },
    ticket: () => ticket,
    budget: () => budget,
    expiresAtMs: () => expiresAtMs,
    nextSeq: () => seq++,
    begin(rate) {
      const sinceMs = sinceOpenedMs();
      running += 1;
      runningRate += rate;
      runningRateBySince += rate * sinceMs;
      void onUse();
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        running -= 1;
        runningRate -= rate;
        runningRateBySince -= rate * sinceMs;
        endedCost += Math.floor((Math.max(0, sinceOpenedMs() - sinceMs) * rate) / 1_000);
      };
    },
    take: (rate) => (covers(rate) ? lease.begin(rate) : takeLarger(rate)),
    spent() {
      const runningCost = (runningRate * sinceOpenedMs() - runningRateBySince) / 1_000;
      return endedCost + Math.max(0, Math.floor(runningCost));
    },
    burnRate: () => runningRate + waitingRate,
    running: () => running,
    renewed(newTicket, newBudget, newExpiresAtMs) {
      ticket = newTicket;
      budget = newBudget;
      expiresAtMs = newExpiresAtMs;
    },
  };
  let places: readonly Place[] = granted.candidates.map((node) => ({ node, lease }));
  return lease;
}
