import { counted } from "#protocol/counted";
import { PeerId } from "#protocol/identity";
import { UserId } from "#protocol/names";
import type { AppContext } from "./app-env";
import { audit } from "./audit";
import type { Admission, Tier } from "./domain/rate-tiers";
import { log } from "./log";
import { problem } from "./problem";

/** By window that is full: until when, in milliseconds. Whoever goes on asking is refused here, and nobody else is asked. */
const full = new Map<string, number>();
const MOST_KEPT = 10_000;

const nameOf = (tier: Tier, subject: string): string => `${tier.name}:${subject}`;

/** Whether a window is full for sure, so that nothing need be done for the request. */
export function isKnownFull(c: AppContext, tier: Tier, subject: string): boolean {
  return leftMs(c, tier, subject) > 0;
}

function leftMs(c: AppContext, tier: Tier, subject: string): number {
  return (full.get(nameOf(tier, subject)) ?? 0) - c.get("deps").nowMs();
}

/** Counts one request of a subject, and says on the answer what is left. */
export async function hitWindow(c: AppContext, tier: Tier, subject: string): Promise<Admission> {
  const admission = await admissionOf(c, tier, subject);
  tellWindow(c, tier, admission);
  return admission;
}

/** The same, but it is told only where it refuses: a window that no honest client gets near. */
export async function hitQuietly(c: AppContext, tier: Tier, subject: string): Promise<Admission> {
  const admission = await admissionOf(c, tier, subject);
  if (!admission.admitted) tellWindow(c, tier, admission);
  return admission;
}

function tellWindow(c: AppContext, tier: Tier, admission: Admission): void {
  // Lists, where a request counts in several windows.
  const policy = `"${tier.name}";q=${tier.limit};w=${tier.windowMs / 1_000}`;
  c.header("ratelimit-policy", policy, { append: true });
  const left = `"${tier.name}";r=${admission.remaining};t=${admission.resetSeconds}`;
  c.header("ratelimit", left, { append: true });
}

async function admissionOf(c: AppContext, tier: Tier, subject: string): Promise<Admission> {
  const knownMs = leftMs(c, tier, subject);
  if (knownMs > 0) {
    return { admitted: false, remaining: 0, resetSeconds: Math.ceil(knownMs / 1_000) };
  }
  const admission = await askWindow(c, tier, subject);
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
    const name = nameOf(tier, subject);
    const admission = await c.env.RATE_WINDOW.getByName(name).hit(tier);
    if (full.size >= MOST_KEPT) full.clear();
    if (admission.admitted) full.delete(name);
    else full.set(name, c.get("deps").nowMs() + admission.resetSeconds * 1_000);
    return admission;
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
    detail: `Try again in ${counted(resetSeconds, "second")}.`,
  });
}
