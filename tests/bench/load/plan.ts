import { runToEnd } from "../child-process";
import type { Scope } from "../scope";
import type { AuthorizePlan, AuthorizeResult } from "./authorize-load";
import type { HopsPlan, HopsResult } from "./hops-load";
import type { SettlePlan, SettleResult } from "./settle-load";
import type { StreamsPlan, StreamsResult } from "./streams-load";

export type LoadPlan = HopsPlan | StreamsPlan | AuthorizePlan | SettlePlan;

type ResultOf = {
  readonly hops: HopsResult;
  readonly streams: StreamsResult;
  readonly authorize: AuthorizeResult;
  readonly settle: SettleResult;
};

/** Runs a plan in a process of its own. */
export async function makeLoad<Plan extends LoadPlan>(
  scope: Scope,
  plan: Plan,
): Promise<ResultOf[Plan["kind"]]> {
  const text = await runToEnd(scope, import.meta.resolve("./main.ts"), [JSON.stringify(plan)]);
  return JSON.parse(text) as ResultOf[Plan["kind"]];
}
