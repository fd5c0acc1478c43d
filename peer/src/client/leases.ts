import { DEFAULT_BUDGET_MICROCREDITS } from "#protocol/authorize";
import type { CoordinatorApi } from "../coordinator/api";
import { CoordinatorProblem } from "../coordinator/errors";
import { type Lease, openLease } from "./lease";

/** A ticket with less time left is renewed in the background. */
const RENEW_BEFORE_MS = 120_000;
/** A ticket with less time left is not used for a new request: it could end on its way. */
const USELESS_BEFORE_MS = 5_000;
/** A lease this old is replaced instead of extended, so that new nodes get their turn. */
const REPLACE_AFTER_MS = 20 * 60_000;
/** A model not asked for in this time is left alone. */
const IDLE_AFTER_MS = 180_000;
/** Between tries to renew while the coordinator is away. */
const RETRY_AFTER_MS = 2_000;

export type Leases = {
  /** A lease for the model: at once where there is one, else from the coordinator. Throws what the api throws. */
  get(model: string): Promise<Lease>;
  /** A new lease that does not name these nodes. */
  replace(model: string, exclude: readonly string[]): Promise<Lease>;
  /** Looks after all leases; called about once a second. */
  tend(): void;
  /** Leases with something running, for telling their nodes of a larger budget. */
  onExtended(listener: (lease: Lease) => void): void;
};

type Entry = { lease: Lease; usedAtMs: number; notBeforeMs: number };

/** One lease for each model; requests that need one at the same time share one call. */
export function createLeases(
  api: Pick<CoordinatorApi, "authorize" | "extend">,
  nowMs: () => number,
): Leases {
  const entries = new Map<string, Entry>();
  const authorizing = new Map<string, Promise<Lease>>();
  const renewing = new Set<string>();
  let extended = (_lease: Lease): void => {};

  function authorize(model: string, exclude: readonly string[]): Promise<Lease> {
    const key = [model, ...exclude].join("\n");
    const under = authorizing.get(key);
    if (under !== undefined) return under;
    const call = api
      .authorize({ model, ...(exclude.length > 0 && { exclude: [...exclude] }) })
      .then((granted) => {
        const lease = openLease(granted, nowMs);
        entries.set(model, { lease, usedAtMs: nowMs(), notBeforeMs: 0 });
        return lease;
      })
      .finally(() => authorizing.delete(key));
    authorizing.set(key, call);
    return call;
  }

  function isUsable({ lease }: Entry): boolean {
    return lease.expiresAtMs() - nowMs() > USELESS_BEFORE_MS && lease.spent() < lease.budget();
  }

  function renew(model: string, entry: Entry): void {
    const { lease, usedAtMs, notBeforeMs } = entry;
    const isLate = lease.expiresAtMs() - nowMs() < RENEW_BEFORE_MS;
    const isSpent = lease.spent() > lease.budget() / 2;
    const isWanted = lease.running() > 0 || nowMs() - usedAtMs < IDLE_AFTER_MS;
    if (!(isLate || isSpent) || !isWanted || renewing.has(model)) return;
    if (nowMs() < notBeforeMs) return;
    renewing.add(model);
    const isOld = nowMs() - lease.openedAtMs > REPLACE_AFTER_MS && lease.running() === 0;
    const work = isOld ? authorize(model, []) : extend(lease);
    // In the background: while the coordinator is away the ticket at hand goes on.
    work
      .catch((error: unknown) => {
        if (error instanceof CoordinatorProblem && error.problem.status < 500)
          entries.delete(model);
        else entry.notBeforeMs = nowMs() + RETRY_AFTER_MS;
      })
      .finally(() => renewing.delete(model));
  }

  async function extend(lease: Lease): Promise<void> {
    const add = Math.max(1, DEFAULT_BUDGET_MICROCREDITS - (lease.budget() - lease.spent()));
    const { ticket, budget, expires_at } = await api.extend({ ticket: lease.ticket(), add });
    lease.renewed(ticket, budget, expires_at * 1_000);
    if (lease.running() > 0) extended(lease);
  }

  return {
    async get(model) {
      const entry = entries.get(model);
      if (entry === undefined || !isUsable(entry)) return authorize(model, []);
      entry.usedAtMs = nowMs();
      renew(model, entry);
      return entry.lease;
    },
    replace: (model, exclude) => authorize(model, exclude),
    tend() {
      for (const [model, entry] of entries) {
        if (entry.lease.running() > 0) renew(model, entry);
        else if (entry.lease.expiresAtMs() < nowMs()) entries.delete(model);
      }
    },
    onExtended(listener) {
      extended = listener;
    },
  };
}
