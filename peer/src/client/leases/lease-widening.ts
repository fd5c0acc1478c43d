import type { Candidate } from "#protocol/authorize";
import { MICROCREDITS_PER_CREDIT } from "#protocol/microcredits";
import type { Lease } from "./lease";
import type { LeasePool } from "./lease-pool";

/** What a lease that is taken besides others holds at first: most requests go on under those. */
export const SMALL_BUDGET_MICROCREDITS = 15 * MICROCREDITS_PER_CREDIT;
/** Between two of them; where there was none to be had, the coordinator is left in peace for longer. */
const WIDEN_EVERY_MS = 5_000;
const WIDEN_AGAIN_MS = 60_000;

export type WideningDeps = {
  readonly pool: Pick<LeasePool, "first" | "isWide" | "models" | "places" | "putBeside">;
  readonly authorize: (
    model: string,
    asked: { readonly exclude: readonly string[]; readonly budget: number },
  ) => Promise<Lease>;
  /** Whether these nodes have so much to do that more of them would serve better. */
  readonly isCrowded: (nodes: readonly Candidate[]) => boolean;
  readonly steadyMs: () => number;
};

/** Takes leases for more nodes where those of a model have much to do; `tend` is called about once a second. */
export function createLeaseWidening(deps: WideningDeps): { readonly tend: () => void } {
  const { pool, authorize, isCrowded, steadyMs } = deps;
  const nextMs = new Map<string, number>();

  function widenWhereCrowded(model: string): void {
    const first = pool.first(model);
    if (first === undefined || pool.isWide(model)) return;
    if ((nextMs.get(model) ?? 0) > steadyMs()) return;
    const nodes = pool.places(first).map(({ node }) => node);
    if (!isCrowded(nodes)) return;
    nextMs.set(model, steadyMs() + WIDEN_EVERY_MS);
    const exclude = nodes.map(({ node_id }) => node_id);
    authorize(model, { exclude, budget: SMALL_BUDGET_MICROCREDITS }).then(pool.putBeside, () => {
      // No more nodes, or no more credits; requests go on with what there is.
      nextMs.set(model, steadyMs() + WIDEN_AGAIN_MS);
    });
  }

  return {
    tend() {
      for (const model of pool.models()) widenWhereCrowded(model);
    },
  };
}
