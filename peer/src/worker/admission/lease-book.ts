import { CLOCK_SKEW_S } from "#protocol/jws";
import { chargeFor, type Microcredits, type Rate } from "#protocol/microcredits";
import { LEASE_KEPT_S } from "#protocol/ticket";
import type { Clock } from "../../clock";
import { createCrowd } from "../../crowd";
import { createSeenNumbers } from "./seen-numbers";

/** One lease as far as this node serves it: which requests, and what they have cost here. */
export type LeaseAccount = {
  /** False: a request of this number is or was served here. */
  claim(seq: number): boolean;
  /** For a request that came to nothing, so that it may come again. */
  unclaim(seq: number): void;
  /** Whether the finished requests and the running ones have left something. */
  hasBudget(): boolean;
  /** Charges from now on; `onSpent` is called if the budget or the hold ends meanwhile. The result ends it. */
  charge(onSpent: () => void): () => void;
};

export type LeaseBook = {
  /** A later ticket of the same lease may carry a larger budget; the largest counts. */
  account(terms: LeaseTerms): LeaseAccount;
  readonly size: number;
};

export type LeaseTerms = {
  readonly leaseId: string;
  readonly budget: Microcredits;
  readonly rate: Rate;
  /** Unix seconds at which the ticket ends. */
  readonly expiresAtS: number;
  /** The payer owns this node, or the network takes no credits: nothing is charged, so no budget ends. */
  readonly isFree: boolean;
};

type Lease = LeaseAccount & {
  update(terms: LeaseTerms): void;
  isOver(nowS: number): boolean;
};

/**
 * How long what runs may go on with nothing left: a larger ticket may be on its way, above all where many requests
 * began at once. The node risks so much of its time, but no more than the budget itself: many tiny leases must not be
 * worth more than a large one.
 */
export const GRACE_MS = 1_000;
/** What runs after its lease's last ticket ends so long before the hold goes back to the payer: its receipt must be in time. */
const END_BEFORE_REFUND_S = 60;
const SWEEP_EVERY_MS = 30_000;
/** What is left is then waited for to its end. */
const EXACT_MS = 1_000;

export function createLeaseBook(clock: Clock): LeaseBook {
  const leases = new Map<string, Lease>();
  let sweptAtMs = clock.steadyMs();

  function sweep(): void {
    if (clock.steadyMs() - sweptAtMs < SWEEP_EVERY_MS) return;
    sweptAtMs = clock.steadyMs();
    const nowS = clock.wallMs() / 1_000;
    for (const [id, lease] of leases) if (lease.isOver(nowS)) leases.delete(id);
  }

  return {
    account(terms) {
      sweep();
      const lease = leases.get(terms.leaseId) ?? openLease(clock);
      leases.set(terms.leaseId, lease);
      lease.update(terms);
      return lease;
    },
    get size() {
      return leases.size;
    },
  };
}

function openLease(clock: Clock): Lease {
  const seen = createSeenNumbers();
  const running = createCrowd<() => void>();
  /** Of all that run: what they cost is known without a look at each, however many they are. */
  let startsMs = 0;
  let terms: LeaseTerms | undefined;
  let budget = 0;
  let expiresAtS = 0;
  let spent = 0;
  /** When the timer comes, in steady milliseconds; none is armed at the end of time. */
  let armedAtMs = Infinity;
  let disarm = (): void => {};

  const rate = (): number => terms?.rate ?? 0;
  function left(): number {
    const ranMs = running.size * clock.steadyMs() - startsMs;
    return budget - spent - (ranMs * rate()) / 1_000;
  }

  /** Microcredits by which what runs may overdraw; none where nothing runs. */
  const grace = (): number => Math.min(budget, (rate() * running.size * GRACE_MS) / 1_000);
  /** Until then what runs can be paid from the hold. */
  const paidForMs = (): number =>
    (expiresAtS + LEASE_KEPT_S - END_BEFORE_REFUND_S) * 1_000 - clock.wallMs();

  /**
   * One timer for all that runs: together they use the budget up sooner. It comes in half of the time that is left and
   * looks again, so that hardly a request moves it.
   */
  function arm(): void {
    if (running.size === 0 || terms?.isFree !== false) return;
    const spentInMs = ((left() + grace()) * 1_000) / (rate() * running.size);
    const endsInMs = Math.max(1, Math.ceil(Math.min(spentInMs, paidForMs())));
    const nowMs = clock.steadyMs();
    if (armedAtMs <= nowMs + endsInMs) return;
    disarm();
    const inMs = endsInMs > EXACT_MS ? Math.ceil(endsInMs / 2) : endsInMs;
    armedAtMs = nowMs + inMs;
    disarm = clock.after(inMs, look);
  }
  function look(): void {
    armedAtMs = Infinity;
    if (running.size === 0 || terms?.isFree !== false) return;
    if (left() > -grace() && paidForMs() > 0) arm();
    else for (const onSpent of running.all()) onSpent();
  }

  return {
    claim: (seq) => seen.add(seq),
    unclaim: (seq) => seen.remove(seq),
    hasBudget: () => terms?.isFree === true || left() > (running.size > 0 ? -grace() : 0),
    charge(onSpent) {
      const startMs = clock.steadyMs();
      const place = running.enter(onSpent);
      startsMs += startMs;
      arm();
      return () => {
        if (!running.leave(place)) return;
        startsMs -= startMs;
        spent += chargeFor(Math.round(clock.steadyMs() - startMs), rate());
      };
    },
    update(next) {
      terms = next;
      if (next.budget <= budget && next.expiresAtS <= expiresAtS) return;
      expiresAtS = Math.max(expiresAtS, next.expiresAtS);
      budget = Math.max(budget, next.budget);
      arm();
    },
    isOver: (nowS) => running.size === 0 && nowS > expiresAtS + CLOCK_SKEW_S + LEASE_KEPT_S,
  };
}
