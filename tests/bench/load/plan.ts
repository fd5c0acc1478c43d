import { runToEnd } from "../child-process";
import type { Scope } from "../scope";
import type { AuthorizePlan, AuthorizeResult } from "./authorize-load";
import type { FailoverPlan, FailoverResult } from "./failover-load";
import type { HopsPlan, HopsResult } from "./hops-load";
import type { ManyPlan, ManyResult } from "./many-load";
import type { PacePlan, PaceResult } from "./pace-load";
import type { SettlePlan, SettleResult } from "./settle-load";
import type { StreamsPlan, StreamsResult } from "./streams-load";

export type LoadPlan =
  | HopsPlan
  | StreamsPlan
  | AuthorizePlan
  | SettlePlan
  | PacePlan
  | ManyPlan
  | FailoverPlan;

type ResultOf = {
  readonly hops: HopsResult;
  readonly streams: StreamsResult;
  readonly authorize: AuthorizeResult;
  readonly settle: SettleResult;
  readonly pace: PaceResult;
  readonly many: ManyResult;
  readonly failover: FailoverResult;
};

/** Runs a plan in a process of its own. */
export async function makeLoad<Plan extends LoadPlan>(
  scope: Scope,
  plan: Plan,
): Promise<ResultOf[Plan["kind"]]> {
  const text = await runToEnd(scope, import.meta.resolve("./main.ts"), [JSON.stringify(plan)]);
  return JSON.parse(text) as ResultOf[Plan["kind"]];
}
