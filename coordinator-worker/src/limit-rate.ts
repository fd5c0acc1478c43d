import type { AppContext } from "./app-env";
import type { Admission, Tier } from "./domain/rate-tiers";
import { log } from "./log";
import { problem } from "./problem";

/** Counts one request of a subject. A window that fails lets the request pass: it guards load, not money. */
export async function hitWindow(
  c: AppContext,
  tier: Tier,
  subject: string,
): Promise<Admission | undefined> {
  try {
    return await c.env.RATE_WINDOW.getByName(`${tier.name}:${subject}`).hit(tier);
  } catch (cause) {
    log("rate_window_failed", {
      requestId: c.get("requestId"),
      error: cause instanceof Error ? cause.name : "unknown",
    });
    return undefined;
  }
}

export function refuseRate(c: AppContext, tier: Tier, admission: Admission) {
  c.header("ratelimit-policy", `"${tier.name}";q=${tier.limit};w=${tier.windowMs / 1_000}`);
  c.header("ratelimit", `"${tier.name}";r=0;t=${admission.retryAfterSeconds}`);
  return problem(c, "rate_limited", {
    retryAfterSeconds: admission.retryAfterSeconds,
    detail: `Try again in ${admission.retryAfterSeconds} seconds.`,
  });
}

/** The address a request came from, as the edge says it; never as the sender says it. */
export function senderAddress(c: AppContext): string {
  return c.req.header("cf-connecting-ip") ?? "unknown";
}
