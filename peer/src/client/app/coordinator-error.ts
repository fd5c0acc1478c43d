import { counted } from "#protocol/counted";
import { formatCredits } from "#protocol/microcredits";
import type { Problem } from "#protocol/problem";
import { CoordinatorProblem, CoordinatorUnreachable } from "../../coordinator/errors";
import { appError } from "./app-error";

const WHILE_AWAY =
  "Models that were used a moment ago go on for some minutes. Check that this machine is online and that the URL is right (`troop status`), then try again.";

/** What the app is told when no ticket was to be had, in OpenAI's shape; rethrows what is no answer of a coordinator. */
export function coordinatorError(error: unknown): Response {
  if (error instanceof CoordinatorUnreachable) {
    return appError(503, "coordinator_unreachable", `${error.message} ${WHILE_AWAY}`, {
      headers: { "retry-after": "5" },
    });
  }
  if (!(error instanceof CoordinatorProblem)) throw error;
  const { code } = error.problem;
  if (code === "credits_exhausted") {
    return appError(402, "insufficient_credits", outOfCredits(error.problem));
  }
  if (code === "model_unavailable") {
    return appError(
      404,
      "model_not_found",
      "No node offers this model now. `troop models` lists what there is.",
      { param: "model" },
    );
  }
  // About the network: trying again changes nothing.
  if (code === "not_found" || code === "forbidden") {
    return appError(error.problem.status, "coordinator_refused", error.message);
  }
  if (code === "rate_limited") {
    const seconds = Math.max(1, Math.ceil((error.retryAfterMs ?? 1_000) / 1_000));
    return appError(429, "coordinator_refused", error.message, {
      headers: { "retry-after": String(seconds) },
    });
  }
  return appError(503, "coordinator_refused", error.message, { headers: { "retry-after": "5" } });
}

function outOfCredits({ balance_microcredits: balance, held_microcredits: held }: Problem): string {
  const parts = ["There are no credits left to spend."];
  if (balance !== undefined)
    parts.push(`The balance is ${counted(formatCredits(balance), "credit")}.`);
  if (held !== undefined && held > 0) {
    parts.push(
      `Open leases hold ${formatCredits(held)} more; what they do not spend comes back when they end.`,
    );
  }
  parts.push("Running `troop worker` on a machine with an inference engine earns more.");
  return parts.join(" ");
}

const ASKED_AGAIN_MS = 1_000;

/**
 * Milliseconds after which the coordinator may do better: where it is there and only a store of its own is away, and
 * where it was there when it gave a ticket (`hadTicket`) whose nodes have failed since. Else this machine may be offline.
 */
export function betterInMs(error: unknown, hadTicket: boolean): number | undefined {
  if (error instanceof CoordinatorUnreachable) return hadTicket ? ASKED_AGAIN_MS : undefined;
  if (!(error instanceof CoordinatorProblem)) return undefined;
  if (error.problem.code !== "store_unavailable") return undefined;
  return error.retryAfterMs ?? ASKED_AGAIN_MS;
}

export function isModelUnavailable(error: unknown): boolean {
  return error instanceof CoordinatorProblem && error.problem.code === "model_unavailable";
}
