import type { AppContext } from "./app-env";
import { registerTiers } from "./domain/rate-tiers";
import { hitWindow, refuseRate } from "./limit-rate";
import { networkSubject, senderSubject } from "./sender-address";

/**
 * Counts somebody new, a peer or a person; a refusal where too many came from there. Both count in the same windows:
 * whatever way in is taken, as many starter credits are to be had.
 */
export async function admitNewcomer(c: AppContext) {
  const { own, nearby } = registerTiers(c.get("deps").config.registrationsPerHour);
  for (const [tier, subject] of [
    [own, senderSubject(c)],
    [nearby, networkSubject(c)],
  ] as const) {
    const admission = await hitWindow(c, tier, subject);
    if (!admission.admitted) return refuseRate(c, admission);
  }
  return undefined;
}
