import type { Candidate } from "#protocol/authorize";
import type { CoordinatorApi } from "../coordinator/api";
import { CoordinatorProblem, CoordinatorUnreachable } from "../coordinator/errors";
import { type Lease, openLease } from "./lease";
import { createRenewal } from "./lease-renewal";

/** A ticket with less time left is not used for a new request: it could end on its way. */
const USELESS_BEFORE_MS = 5_000;
/** Between questions for nodes besides those that failed or are busy: where all are, each request would ask. */
const OTHERS_EVERY_MS = 2_000;
const MOST_EXCLUDED = 32;
/** Between leases that are taken because a node refused one for no reason that this side can see. */
const ANEW_EVERY_MS = 60_000;

export type Leases = {
  /** Whether `get` would answer at once. */
  isReady(model: string): boolean;
  /** A lease for the model: at once where there is one, else from the coordinator. Throws what the api throws. */
  get(model: string): Promise<Lease>;
  /**
   * Another lease than `used`, whose nodes all failed: the one that a request before this one got for the same reason,
   * or a new one. `undefined`: there are no other nodes.
   */
  others(used: Lease, failed: readonly string[]): Promise<Lease | undefined>;
  /** A lease in place of `used`, which a node took for ended or spent; it may name the same nodes. */
  anew(used: Lease): Promise<Lease>;
  /** In the background: a lease without these nodes, for the requests to come. */
  avoid(used: Lease, failed: readonly string[]): void;
  /** Nodes that requests may go to now. */
  candidates(): Candidate[];
  /** Looks after all leases; called about once a second. */
  tend(): void;
};

export type LeaseEvents = {
  /** A lease came from the coordinator. */
  readonly onGranted?: (lease: Lease) => void;
  /** The budget of a lease with something running has grown. */
  readonly onExtended?: (lease: Lease) => void;
};

/** One lease for each model; requests that need one at the same time share one call. */
export function createLeases(
  api: Pick<CoordinatorApi, "authorize" | "extend">,
  nowMs: () => number,
  { onGranted = () => {}, onExtended = () => {} }: LeaseEvents = {},
): Leases {
  const current = new Map<string, Lease>();
  const authorizing = new Map<string, Promise<Lease>>();
  const nextAnewMs = new Map<string, number>();
  const nextOthers = new Map<string, { readonly atMs: number; readonly hadNone: boolean }>();
  const renewal = createRenewal({
    nowMs,
    extend: async (lease, add) => {
      const { ticket, budget, expires_at } = await api.extend({ ticket: lease.ticket(), add });
      lease.renewed(ticket, budget, expires_at * 1_000);
      if (lease.running() > 0) onExtended(lease);
    },
    replace: (lease) => authorize(lease.model, []),
    drop: (lease) => {
      if (current.get(lease.model) === lease) current.delete(lease.model);
    },
    isCurrent: (lease) => current.get(lease.model) === lease,
  });

  function authorize(model: string, exclude: readonly string[]): Promise<Lease> {
    const key = [model, ...exclude.toSorted()].join("\n");
    const underWay = authorizing.get(key);
    if (underWay !== undefined) return underWay;
    const call = api
      .authorize({ model, ...(exclude.length > 0 && { exclude: exclude.slice(-MOST_EXCLUDED) }) })
      .then((granted) => {
        // Many that start together may use up what one of them would not: then more is asked for at once.
        const lease = openLease(model, granted, nowMs, () => renewal.used(lease));
        current.set(model, lease);
        renewal.watch(lease);
        onGranted(lease);
        return lease;
      })
      .finally(() => authorizing.delete(key));
    authorizing.set(key, call);
    return call;
  }

  const isAlive = (lease: Lease): boolean => lease.expiresAtMs() - nowMs() > USELESS_BEFORE_MS;
  const isUsable = (lease: Lease): boolean => isAlive(lease) && lease.spent() < lease.budget();

  /** The lease that has taken the place of `used`, if any. */
  function successor(used: Lease): Lease | undefined {
    const lease = current.get(used.model);
    return lease !== undefined && lease !== used && isUsable(lease) ? lease : undefined;
  }

  async function others(used: Lease, failed: readonly string[]): Promise<Lease | undefined> {
    const next = successor(used);
    if (next?.candidates.some((node) => !failed.includes(node.node_id))) return next;
    const last = nextOthers.get(used.model);
    const waitMs = (last?.atMs ?? 0) - nowMs();
    if (waitMs > 0) {
      if (last?.hadNone === true) return undefined;
      // There were some a moment ago, and these fail as well: two nodes that are replaced one after the other.
      await Bun.sleep(waitMs);
      const found = successor(used);
      if (found?.candidates.some((node) => !failed.includes(node.node_id))) return found;
    }
    let hadNone = false;
    try {
      return await authorize(used.model, failed);
    } catch (error) {
      if (!(error instanceof CoordinatorProblem)) throw error;
      if (error.problem.code !== "model_unavailable") throw error;
      hadNone = true;
      return undefined;
    } finally {
      nextOthers.set(used.model, { atMs: nowMs() + OTHERS_EVERY_MS, hadNone });
    }
  }

  return {
    isReady(model) {
      const lease = current.get(model);
      return lease !== undefined && isUsable(lease);
    },
    async get(model) {
      const lease = current.get(model);
      if (lease === undefined) return authorize(model, []);
      renewal.used(lease);
      if (isUsable(lease)) return lease;
      try {
        return await authorize(model, []);
      } catch (error) {
        // Spent is a guess from this side, on the high side, and a ticket that ends soon is good until then: with
        // nobody to ask, the node decides.
        if (isAway(error) && lease.expiresAtMs() > nowMs()) return lease;
        throw error;
      }
    },
    others,
    async anew(used) {
      const next = successor(used);
      if (next !== undefined) return next;
      // A node that calls every ticket bad must not make this client hold all its credits, lease after lease.
      const isLikely = used.spent() > used.budget() / 2 || !isAlive(used);
      if (!isLikely && nowMs() < (nextAnewMs.get(used.model) ?? 0)) return used;
      nextAnewMs.set(used.model, nowMs() + ANEW_EVERY_MS);
      return authorize(used.model, []);
    },
    avoid(used, failed) {
      // What comes of it shows in the requests to come; a failure costs them nothing.
      if (current.get(used.model) === used) others(used, failed).catch(() => {});
    },
    candidates: () => [...current.values()].flatMap((lease) => lease.candidates),
    tend: () => renewal.tend(),
  };
}

/** Nobody decided anything: it, or its stores, cannot be reached. */
function isAway(error: unknown): boolean {
  if (error instanceof CoordinatorUnreachable) return true;
  return error instanceof CoordinatorProblem && error.problem.status >= 500;
}
