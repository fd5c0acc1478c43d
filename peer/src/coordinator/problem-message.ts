import { counted } from "#protocol/counted";
import { CLOCK_SKEW_S } from "#protocol/jws";
import type { Problem } from "#protocol/problem";
import { printable } from "./printable";

/** A refusal in one or two sentences for people. `skewMs`: this machine's clock less the coordinator's. */
export function problemMessage(
  problem: Problem,
  skewMs: number | undefined,
  retryAfterMs: number | undefined,
): string {
  if (problem.code === "clock_skew" && skewMs !== undefined) return skewMessage(skewMs);
  const parts = [printable(problem.title)];
  if (problem.detail !== undefined) parts.push(printable(problem.detail));
  if (problem.fields !== undefined && problem.fields.length > 0) {
    parts.push(`Fields: ${printable(problem.fields.join(", "))}.`);
  }
  if (problem.code === "rate_limited" && retryAfterMs !== undefined) {
    parts.push(`Try again in ${counted(Math.ceil(retryAfterMs / 1_000), "second")}.`);
  }
  return parts.join(" ");
}

function skewMessage(skewMs: number): string {
  const offSeconds = Math.round(Math.abs(skewMs) / 1_000);
  const direction = skewMs > 0 ? "ahead of" : "behind";
  return (
    `This machine's clock is ${counted(offSeconds, "second")} ${direction} the coordinator's; ` +
    `${CLOCK_SKEW_S} are allowed. Set the clock, or turn on time synchronisation.`
  );
}
