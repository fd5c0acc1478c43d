import { PeerId } from "#protocol/identity";
import { UserId } from "#protocol/names";
import type { AppContext } from "./app-env";
import { audit } from "./audit";
import type { Admission, Tier } from "./domain/rate-tiers";
import { log } from "./log";
import { problem } from "./problem";

/** Counts one request of a subject, and says on the answer what is left. */
export async function hitWindow(c: AppContext, tier: Tier, subject: string): Promise<Admission> {
  const admission = await askWindow(c, tier, subject);
  // Lists, where a request counts in several windows.
  const policy = `"${tier.name}";q=${tier.limit};w=${tier.windowMs / 1_000}`;
  c.header("ratelimit-policy", policy, { append: true });
  const left = `"${tier.name}";r=${admission.remaining};t=${admission.resetSeconds}`;
  c.header("ratelimit", left, { append: true });
  if (admission.isNews === true) {
    audit(c, {
      type: "rate_limited",
      userId: UserId.safeParse(subject).data,
      peerId: PeerId.safeParse(subject).data,
      details: { window: tier.name, limit: tier.limit },
    });
  }
  return admission;
}

/** Seconds after which a window that did not answer is worth another try. */
const FAILED_FOR_SECONDS = 5;

async function askWindow(c: AppContext, tier: Tier, subject: string): Promise<Admission> {
  try {
    return await c.env.RATE_WINDOW.getByName(`${tier.name}:${subject}`).hit(tier);
  } catch (cause) {
    log("rate_window_failed", {
      requestId: c.get("requestId"),
      tier: tier.name,
      error: cause instanceof Error ? cause.name : "unknown",
    });
    const admitted = tier.failsClosed !== true;
    return { admitted, remaining: 0, resetSeconds: FAILED_FOR_SECONDS };
  }
}

export function refuseRate(c: AppContext, { resetSeconds }: Admission) {
  return problem(c, "rate_limited", {
    retryAfterSeconds: resetSeconds,
    detail: `Try again in ${resetSeconds} seconds.`,
  });
}
