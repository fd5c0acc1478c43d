import type { ProblemCode } from "#protocol/problem";
import { CoordinatorProblem, CoordinatorUnreachable } from "../coordinator/errors";
import { printable } from "../coordinator/printable";
import { CliError, EXIT, type Exit } from "./error";

const HINTS: Partial<Record<ProblemCode, string>> = {
  proof_invalid: "Give --coordinator exactly as the coordinator's operator spells its public URL.",
  protocol_unsupported: "Get the newest troop from where you got this one.",
  credits_exhausted: "See what is left: troop balance. Lend a machine to earn more: troop worker",
  peer_revoked: "Link it to an account again: troop login",
  registration_closed: "With an account, which its operator can help you to: troop login",
  internal: "Try again later; its operator can find the request by its id in the log.",
  store_unavailable: "Try again in a minute.",
  timeout: "Try again in a minute.",
};

export type ErrorReport = {
  readonly exit: Exit;
  readonly message: string;
  readonly hint: string | undefined;
};

/** What to tell a person about any failure, and the exit number for programs. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof CliError) return error;
  if (error instanceof CoordinatorUnreachable) {
    const hint = "Check the URL and that the coordinator runs; `troop status` tries again.";
    return { exit: EXIT.coordinatorUnreachable, message: error.message, hint };
  }
  if (error instanceof CoordinatorProblem) {
    const { code } = error.problem;
    const message = `The coordinator refused (${code}). ${error.message}`;
    return { exit: EXIT.coordinatorRefused, message, hint: HINTS[code] };
  }
  return {
    exit: EXIT.failed,
    message: `Something failed that should not: ${unexpected(error)}`,
    hint: "Run it again with TROOP_DEBUG=1 for details to report.",
  };
}

/** A failed system call says why in its message; other messages are for programmers and may quote anything. */
function unexpected(error: unknown): string {
  if (!(error instanceof Error)) return "an error of no known kind.";
  return "syscall" in error ? printable(error.message) : `${error.name}.`;
}
