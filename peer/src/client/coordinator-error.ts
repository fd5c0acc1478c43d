import { formatCredits } from "#protocol/microcredits";
import { CoordinatorProblem, CoordinatorUnreachable } from "../coordinator/errors";
import { appError } from "./app-error";

/** What the app is told when no ticket was to be had, in OpenAI's shape; rethrows what is no answer of a coordinator. */
export function coordinatorError(error: unknown): Response {
  if (error instanceof CoordinatorUnreachable) {
    return appError(503, "coordinator_unreachable", error.message, {
      headers: { "retry-after": "5" },
    });
  }
  if (!(error instanceof CoordinatorProblem)) throw error;
  const { code, balance_microcredits: balance } = error.problem;
  if (code === "credits_exhausted") {
    const left = balance === undefined ? "" : ` The balance is ${formatCredits(balance)} credits.`;
    return appError(
      402,
      "insufficient_credits",
      `There are no credits left to spend.${left} Running \`troop worker\` earns more.`,
    );
  }
  if (code === "model_unavailable") {
    return appError(404, "model_not_found", "No node offers this model now.", { param: "model" });
  }
  if (code === "rate_limited") {
    const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 1_000) / 1_000));
    return appError(429, "coordinator_refused", error.message, {
      headers: { "retry-after": String(seconds) },
    });
  }
  return appError(503, "coordinator_refused", error.message, { headers: { "retry-after": "5" } });
}

export function isModelUnavailable(error: unknown): boolean {
  return error instanceof CoordinatorProblem && error.problem.code === "model_unavailable";
}
