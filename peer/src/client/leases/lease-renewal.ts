import { DEFAULT_BUDGET_MICROCREDITS } from "#protocol/authorize";
import { CoordinatorProblem } from "../../coordinator/errors";
import { type Lease, LOW_S } from "./lease";

/** A ticket with less time left is renewed in the background. */
const RENEW_BEFORE_MS = 120_000;
/** A lease this old is replaced instead of extended, so that new nodes get their turn. */
const REPLACE_AFTER_MS = 20 * 60_000;
/** A model not asked for in this time is left alone. */
const IDLE_AFTER_MS = 180_000;
/** Between tries while the coordinator is away, or has no more to give. */
const RETRY_AFTER_MS = 2_000;
const RETRY_WITHOUT_CREDITS_MS = 30_000;
/** An extension covers what runs now for so long, and comes when what is left covers it for less than `LOW_S`. */
const COVER_S = 120;

export type Renewal = {
  watch(lease: Lease): void;
  /** A request takes the lease, or would; the result ends with the renewal that is under way. */
  used(lease: Lease): Promise<void> | undefined;
  /** Renews what is due, forgets what has ended. */
  tend(): void;
};

export type RenewalDeps = {
  /** Unix milliseconds. */
  readonly nowMs: () => number;
  /** For durations. */
  readonly steadyMs: () => number;
  /** Adds microcredits, and time. */
  readonly extend: (lease: Lease, add: number) => Promise<void>;
  readonly replace: (lease: Lease) => Promise<unknown>;
  /** The coordinator does not know the lease any more. */
  readonly drop: (lease: Lease) => void;
  /** Whether new requests of its model get this lease. */
  readonly isCurrent: (lease: Lease) => boolean;
};

type Watched = {
  usedAtMs: number;
  notBeforeMs: number;
  renewing: Promise<void> | undefined;
  /** Microcredits that were left when it was granted or last extended. */
  allotment: number;
};

/**
 * Keeps leases alive in the background, so that no request waits for it: those in use, and those that were replaced
 * while something of theirs still runs.
 */
export function createRenewal(deps: RenewalDeps): Renewal {
  const { nowMs, steadyMs } = deps;
  const watched = new Map<Lease, Watched>();

  function renewIfDue(lease: Lease, state: Watched): void {
    if (state.renewing !== undefined || steadyMs() < state.notBeforeMs) return;
    const isLate = lease.expiresAtMs() - nowMs() < RENEW_BEFORE_MS;
    const isSpent = left(lease) < Math.max(state.allotment / 2, lease.burnRate() * LOW_S);
    const isWanted =
      lease.running() > 0 || (deps.isCurrent(lease) && steadyMs() - state.usedAtMs < IDLE_AFTER_MS);
    if (!isWanted || !(isLate || isSpent)) return;
    state.renewing = renew(lease, state);
  }

  async function renew(lease: Lease, state: Watched): Promise<void> {
    // What begins together is counted together.
    await new Promise(setImmediate);
    const isOld = steadyMs() - lease.openedAtMs > REPLACE_AFTER_MS && lease.running() === 0;
    try {
      if (!isOld || !(await hasReplaced(lease))) await extend(lease, state);
    } catch (error) {
      // While the coordinator is away the ticket at hand goes on.
      if (isForgotten(error)) forget(lease);
      else state.notBeforeMs = steadyMs() + waitMs(error);
    } finally {
      state.renewing = undefined;
    }
    // What began meanwhile may need more than was asked for.
    if (watched.has(lease)) renewIfDue(lease, state);
  }

  /** False where all that the user has is held by the lease itself. */
  async function hasReplaced(lease: Lease): Promise<boolean> {
    try {
      await deps.replace(lease);
      return true;
    } catch (error) {
      if (isWithoutCredits(error)) return false;
      throw error;
    }
  }

  async function extend(lease: Lease, state: Watched): Promise<void> {
    const budget = lease.budget();
    const add = wanted(lease);
    await deps.extend(lease, add);
    state.allotment = Math.max(0, left(lease));
    // Less than was asked for is all that the user has. Otherwise whatever starts now may need more at once.
    const isPoor = lease.budget() - budget < add;
    state.notBeforeMs = isPoor ? steadyMs() + RETRY_WITHOUT_CREDITS_MS : 0;
  }

  function forget(lease: Lease): void {
    const wasCurrent = deps.isCurrent(lease);
    watched.delete(lease);
    deps.drop(lease);
    // Fails in the background; the next request asks again, and tells its app what is wrong.
    if (wasCurrent) deps.replace(lease).catch(() => {});
  }

  return {
    watch(lease) {
      const allotment = lease.budget();
      watched.set(lease, { usedAtMs: steadyMs(), notBeforeMs: 0, renewing: undefined, allotment });
    },
    used(lease) {
      const state = watched.get(lease);
      if (state === undefined) return undefined;
      state.usedAtMs = steadyMs();
      renewIfDue(lease, state);
      return state.renewing;
    },
    tend() {
      for (const [lease, state] of watched) {
        const isOver = lease.expiresAtMs() < nowMs() && lease.running() === 0;
        if (isOver || (lease.running() === 0 && !deps.isCurrent(lease))) {
          watched.delete(lease);
          if (isOver) deps.drop(lease);
        } else {
          renewIfDue(lease, state);
        }
      }
    },
  };
}

/** Microcredits that bring what is left up to a new lease's budget, or to what the running requests will need. */
function wanted(lease: Lease): number {
  const goal = Math.max(DEFAULT_BUDGET_MICROCREDITS, lease.burnRate() * COVER_S);
  return Math.max(1, Math.ceil(goal - Math.max(0, left(lease))));
}

/** Microcredits; below 0 where more runs than the budget covers. */
function left(lease: Lease): number {
  return lease.budget() - lease.spent();
}

function isForgotten(error: unknown): boolean {
  return error instanceof CoordinatorProblem && error.problem.code === "lease_not_found";
}

function isWithoutCredits(error: unknown): boolean {
  return error instanceof CoordinatorProblem && error.problem.code === "credits_exhausted";
}

function waitMs(error: unknown): number {
  if (isWithoutCredits(error)) return RETRY_WITHOUT_CREDITS_MS;
  return (error instanceof CoordinatorProblem ? error.retryAfterMs : undefined) ?? RETRY_AFTER_MS;
}
