import type { AppContext } from "./app-env";
import { type Tier, TIERS } from "./domain/rate-tiers";
import { hitWindow, refuseRate } from "./limit-rate";
import { senderSubject } from "./sender-address";
import { refuseSession, requireSession } from "./session";

/** The door of every route for people: who is logged in, and is there room in the window, which is the person's. */
export async function enterPerson(c: AppContext, tier: Tier = TIERS.person) {
  const session = await requireSession(c);
  if (!session.ok) {
    const refused = await hitWindow(c, TIERS.refused, senderSubject(c));
    const answer = refused.admitted ? refuseSession(c, session) : refuseRate(c, refused);
    return { ok: false as const, answer };
  }
  const admission = await hitWindow(c, tier, session.value.user_id);
  if (!admission.admitted) return { ok: false as const, answer: refuseRate(c, admission) };
  return { ok: true as const, person: session.value };
}
