import type { Candidate, NodeObservation } from "#protocol/authorize";
import type { CoordinatorApi } from "../../coordinator/api";
import { CoordinatorProblem, CoordinatorUnreachable } from "../../coordinator/errors";
import { isModelUnavailable } from "../app/coordinator-error";
import { type Lease, MOST_WAIT_MS, openLease, type Place } from "./lease";
import { createLeasePool } from "./lease-pool";
import { createLeaseWidening, SMALL_BUDGET_MICROCREDITS } from "./lease-widening";
import { createRenewal } from "./lease-renewal";
import { createReturningModels } from "./returning-model";
import { within } from "../../within";

/** A ticket with less time left is not used for a new request: it could end on its way. */
const USELESS_BEFORE_MS = 5_000;
/** Between questions for nodes besides those that failed or are busy: where all are, each request would ask. */
const OTHERS_EVERY_MS = 2_000;
const MOST_EXCLUDED = 32;
const MOST_PREFERRED = 8;
/** Of the nodes of a lease that is replaced, those that the next one should name again. */
const MOST_KEPT = 2;
/** Between leases that are taken because a node refused one for no reason that this side can see. */
const ANEW_EVERY_MS = 60_000;
/** Between two of those, of `SMALL_BUDGET_MICROCREDITS`, that are taken because the nodes may have moved. */
const FIND_EVERY_MS = 15_000;

export type Leases = {
  /** Whether `get` would answer at once. */
  isReady(model: string): boolean;
  /** Whether `get` would wait for a model that no node has: it was there lately. */
  mayReturn(model: string): boolean;
  /** A lease for the model: at once where there is one, else from the coordinator. Throws what the api throws. */
  get(model: string): Lease | Promise<Lease>;
  /** Where requests may go under this lease, and those that are used beside it. */
  places(lease: Lease): readonly Place[];
  /**
   * Another lease than `used`, whose nodes all failed or are busy: the one that a request before this one got for the
   * same reason, or a new one. `undefined`: there are no other nodes, or there were none a moment ago.
   */
  others(used: Lease, failed: readonly string[]): Promise<Lease | undefined>;
  /**
   * A lease in place of `used`, whose ticket `shown` a node took for ended or spent; it may name the same nodes. `used`
   * itself where it has a larger ticket by now, or no other is likely to do better.
   */
  anew(used: Lease, shown?: string): Promise<Lease>;
  /** In the background: a lease in place of `used`, none of whose nodes can be reached: their addresses may be others by now. */
  findAgain(used: Lease): void;
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
  /** Nodes that each lease should name, where they have the model; the first ones count most. */
  readonly prefer?: () => readonly string[];
  /** The only nodes that may be used. */
  readonly only?: readonly string[];
  /** Conversations that a node had a turn of lately. */
  readonly conversationsOf?: (nodeId: string) => number;
  /** What became of requests to nodes, to be told with a call that is made anyway, and that it has been. */
  readonly observations?: () => NodeObservation[];
  readonly onObserved?: (told: readonly NodeObservation[]) => void;
  /** For how long a request waits for a model that has no node any more, but had one lately; default: not at all. */
  readonly patienceMs?: number;
  /** Milliseconds that no change of the machine's clock moves; default: `nowMs`. */
  readonly steadyMs?: () => number;
  /** Whether these nodes have so much to do that more of them would serve better. */
  readonly isCrowded?: (nodes: readonly Candidate[]) => boolean;
};

/**
 * One lease for each model, and more where its nodes have much to do; requests that need one at the same time share one
 * call.
 */
export function createLeases(
  api: Pick<CoordinatorApi, "authorize" | "extend">,
  nowMs: () => number,
  events: LeaseEvents = {},
): Leases {
  const { onGranted = () => {}, onExtended = () => {}, isCrowded = () => false } = events;
  const { prefer = () => [], only, conversationsOf = () => 0, steadyMs = nowMs } = events;
  const { observations = () => [], onObserved = () => {}, patienceMs = 0 } = events;
  const isAlive = (lease: Lease): boolean => lease.expiresAtMs() - nowMs() > USELESS_BEFORE_MS;
  const isUsable = (lease: Lease): boolean =>
    isAlive(lease) && lease.spent() < lease.budget() && lease.places.length > 0;
  const pool = createLeasePool(isUsable);
  const authorizing = new Map<string, Promise<Lease>>();
  const nextAnewMs = new Map<string, number>();
  const nextFindMs = new Map<string, number>();
  const nextOthers = new Map<string, { readonly atMs: number; readonly hadNone: boolean }>();
  const returning = createReturningModels<Lease>({
    nowMs: steadyMs,
    patienceMs,
    isGone: isModelUnavailable,
  });
  const renewal = createRenewal({
    nowMs,
    steadyMs,
    extend: async (lease, add) => {
      const { ticket, budget, expires_at } = await api.extend({ ticket: lease.ticket(), add });
      lease.renewed(ticket, budget, expires_at * 1_000);
      if (lease.running() > 0) onExtended(lease);
    },
    async replace(lease) {
      // Those beside it keep their nodes, so that it is others that come.
      const kept = pool.places(lease).filter((place) => place.lease !== lease);
      const wasFirst = pool.first(lease.model) === lease;
      const next = await authorize(lease.model, {
        exclude: kept.map(idOf),
        prefer: talking(lease),
      });
      pool.remove(lease);
      if (wasFirst) pool.putFirst(next, "beside");
      else pool.putBeside(next);
    },
    drop: pool.remove,
    isCurrent: pool.has,
  });

  /** Nodes that conversations go back to; not all three, so that others get their turn. */
  function talking(lease: Lease): string[] {
    return lease.places
      .map(idOf)
      .filter((id) => conversationsOf(id) > 0)
      .toSorted((a, b) => conversationsOf(b) - conversationsOf(a))
      .slice(0, MOST_KEPT);
  }

  type Asked = {
    readonly exclude?: readonly string[];
    readonly prefer?: readonly string[];
    readonly budget?: number;
  };
  function authorize(model: string, { exclude = [], budget, ...more }: Asked = {}): Promise<Lease> {
    const key = [model, budget, ...exclude.toSorted()].join("\n");
    const underWay = authorizing.get(key);
    if (underWay !== undefined) return underWay;
    const preferred = [...new Set([...prefer(), ...(more.prefer ?? [])])];
    const observed = observations();
    const call = api
      .authorize({
        model,
        ...(only !== undefined && { only: [...only] }),
        ...(observed.length > 0 && { observed }),
        ...(preferred.length > 0 && { prefer: preferred.slice(0, MOST_PREFERRED) }),
        ...(budget !== undefined && { budget }),
        ...(exclude.length > 0 && { exclude: exclude.slice(-MOST_EXCLUDED) }),
      })
      .then((granted) => {
        onObserved(observed);
        returning.seen(model);
        // Many that start together may use up what one of them would not: then more is asked for at once.
        const lease = openLease(model, granted, steadyMs, () => renewal.used(lease));
        renewal.watch(lease);
        onGranted(lease);
        return lease;
      })
      .finally(() => authorizing.delete(key));
    authorizing.set(key, call);
    return call;
  }

  /** The lease that has taken the place of `used`, if any. */
  function successor(used: Lease): Lease | undefined {
    const lease = pool.first(used.model);
    return lease !== undefined && lease !== used && isUsable(lease) ? lease : undefined;
  }

  async function others(used: Lease, failed: readonly string[]): Promise<Lease | undefined> {
    const hasAnother = (lease: Lease | undefined): lease is Lease =>
      lease?.places.some((place) => !failed.includes(idOf(place))) === true;
    const next = successor(used);
    if (hasAnother(next)) return next;
    const last = nextOthers.get(used.model);
    const waitMs = (last?.atMs ?? 0) - steadyMs();
    if (waitMs > 0) {
      if (last?.hadNone === true) return undefined;
      // There were some a moment ago, and these fail as well: two nodes that are replaced one after the other.
      await Bun.sleep(waitMs);
      const found = successor(used);
      if (hasAnother(found)) return found;
    }
    let hadNone = false;
    try {
      const other = await authorize(used.model, { exclude: failed });
      // What failed or was busy may be back, and have conversations.
      pool.putFirst(other, "beside");
      return other;
    } catch (error) {
      if (!isModelUnavailable(error)) throw error;
      hadNone = true;
      return undefined;
    } finally {
      nextOthers.set(used.model, { atMs: steadyMs() + OTHERS_EVERY_MS, hadNone });
    }
  }

  const widening = createLeaseWidening({ pool, authorize, isCrowded, steadyMs });

  /** In place of `lease`, which is of no use for a new request. */
  async function renewed(
    model: string,
    lease: Lease | undefined,
    renewing: Promise<void> | undefined,
  ): Promise<Lease> {
    if (lease !== undefined && isAlive(lease) && renewing !== undefined) {
      await within(MOST_WAIT_MS, renewing);
      if (isUsable(lease)) return lease;
    }
    try {
      const next = await returning.waitFor(model, () => authorize(model));
      pool.putFirst(next);
      return next;
    } catch (error) {
      // Spent is a guess from this side, on the high side, and a ticket that ends soon is good until then: with
      // nobody to ask, the node decides.
      if (lease !== undefined && isAway(error) && lease.expiresAtMs() > nowMs()) return lease;
      throw error;
    }
  }

  return {
    isReady(model) {
      const lease = pool.first(model);
      return lease !== undefined && isUsable(lease);
    },
    mayReturn: returning.mayReturn,
    get(model) {
      const lease = pool.first(model);
      const renewing = lease === undefined ? undefined : renewal.used(lease);
      return lease !== undefined && isUsable(lease) ? lease : renewed(model, lease, renewing);
    },
    places: pool.places,
    others,
    async anew(used, shown = used.ticket()) {
      const next = successor(used);
      if (next !== undefined) return next;
      await within(MOST_WAIT_MS, renewal.used(used) ?? Promise.resolve());
      if (used.ticket() !== shown && isUsable(used)) return used;
      // A node that calls every ticket bad must not make this client hold all its credits, lease after lease.
      const isLikely = used.spent() > used.budget() / 2 || !isAlive(used);
      if (!isLikely && steadyMs() < (nextAnewMs.get(used.model) ?? 0)) return used;
      const anew = await returning.waitFor(used.model, () => authorize(used.model));
      nextAnewMs.set(used.model, steadyMs() + ANEW_EVERY_MS);
      pool.remove(used);
      pool.putFirst(anew, "beside");
      return anew;
    },
    findAgain(used) {
      const { model } = used;
      if (pool.first(model) !== used || (nextFindMs.get(model) ?? 0) > steadyMs()) return;
      nextFindMs.set(model, steadyMs() + OTHERS_EVERY_MS);
      const found = (lease: Lease): void => {
        nextFindMs.set(model, steadyMs() + FIND_EVERY_MS);
        pool.remove(used);
        pool.putFirst(lease, "beside");
      };
      // No node has it, or there is nobody to ask: the requests to come ask again.
      authorize(model, { budget: SMALL_BUDGET_MICROCREDITS }).then(found, () => {});
    },
    avoid(used, failed) {
      // What comes of it shows in the requests to come; a failure costs them nothing.
      if (pool.first(used.model) === used) others(used, failed).catch(() => {});
    },
    candidates: () =>
      [...pool.models()].flatMap((model) => {
        const first = pool.first(model);
        return first === undefined ? [] : pool.places(first).map(({ node }) => node);
      }),
    tend() {
      renewal.tend();
      if (only === undefined) widening.tend();
    },
  };
}

function idOf({ node }: Place): string {
  return node.node_id;
}

/** Nobody decided anything: it, or its stores, cannot be reached. */
function isAway(error: unknown): boolean {
  if (error instanceof CoordinatorUnreachable) return true;
  return error instanceof CoordinatorProblem && error.problem.status >= 500;
}
