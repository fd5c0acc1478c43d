import { createLeases, type LeaseEvents } from "#peer/client/leases/leases";
import type { Lease } from "#peer/client/leases/lease";
import { CoordinatorProblem } from "#peer/coordinator/errors";
import type {
  Authorization,
  AuthorizeRequest,
  ExtendRequest,
  Extension,
} from "#protocol/authorize";
import { PROBLEMS, type ProblemCode } from "#protocol/problem";

export const CREDIT = 1_000_000;
export const NODES = ["a", "b", "c"].map((letter) => letter.repeat(43));

export function refused(code: ProblemCode): CoordinatorProblem {
  const [status, title] = PROBLEMS[code];
  const problem = { type: "about:blank", title, status, code, requestId: "r" } as const;
  return new CoordinatorProblem(title, problem, undefined);
}

/** Leases whose coordinator and clock the test holds. Times are milliseconds from the start; the machine's own clock may be set ahead. */
export function leasesUnderTest(events: LeaseEvents = {}) {
  const state = { nowMs: 0, wallAheadMs: 0, budget: 60 * CREDIT, nodes: NODES, balance: Infinity };
  const wallMs = (): number => state.nowMs + state.wallAheadMs;
  let budget = 0;
  const asked: AuthorizeRequest[] = [];
  const extended: ExtendRequest[] = [];
  const told: Lease[] = [];
  let fails: Error | undefined;
  let extending: Promise<void> | undefined;
  const leases = createLeases(
    {
      async authorize(body): Promise<Authorization> {
        asked.push(body);
        if (fails !== undefined) throw fails;
        const nodes = state.nodes.filter((id) => body.exclude?.includes(id) !== true);
        if (nodes.length === 0) throw refused("model_unavailable");
        budget = state.budget;
        return {
          ticket: `ticket-${asked.length}`,
          lease_id: crypto.randomUUID(),
          network: "public",
          model: body.model,
          budget: state.budget,
          expires_at: wallMs() / 1_000 + 300,
          candidates: nodes.map((node_id) => ({
            node_id,
            urls: ["http://127.0.0.1:1"],
            e2e_key: "the.nodes.key",
            engine: "vllm",
            rate: CREDIT,
            own: false,
            expected_ms: 1,
          })),
        };
      },
      async extend(body): Promise<Extension> {
        extended.push(body);
        await extending;
        if (fails !== undefined) throw fails;
        return {
          ticket: `${body.ticket}+`,
          lease_id: crypto.randomUUID(),
          budget: (budget += Math.min(body.add, state.balance)),
          expires_at: wallMs() / 1_000 + 300,
        };
      },
    },
    wallMs,
    { steadyMs: () => state.nowMs, onExtended: (lease) => told.push(lease), ...events },
  );
  /** Lets the clock run, with the looking after that goes with it. */
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second++) {
      state.nowMs += 1_000;
      leases.tend();
      await settled();
    }
  }
  return {
    state,
    leases,
    asked,
    extended,
    told,
    pass,
    fail: (error: Error | undefined) => {
      fails = error;
    },
    /** The coordinator answers no extension before the result is called. */
    holdExtensions: (): (() => void) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      extending = promise;
      return resolve;
    },
  };
}

export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
