import { sha256Base64url } from "#protocol/encoding";
import type { AppContext } from "./app-env";
import { audit } from "./audit";
import { TIERS } from "./domain/rate-tiers";
import { hitWindow, refuseRate } from "./limit-rate";
import { isPassword, NOBODYS_HASH } from "./password-hash";
import { problem } from "./problem";
import { senderSubject } from "./sender-address";
import { readLogin } from "./store/logins";

/** Whether somebody knows the password of a person, who may not be known; each try counts, at one cost. */
export async function provePassword(c: AppContext, email: string, password: string) {
  // Both count before anything is looked up.
  for (const [tier, subject] of [
    [TIERS.login, senderSubject(c)],
    [TIERS.loginOfEmail, await sha256Base64url(email)],
  ] as const) {
    const admission = await hitWindow(c, tier, subject);
    if (!admission.admitted) return { ok: false as const, answer: refuseRate(c, admission) };
  }
  const login = await readLogin(c.get("deps").db, email);
  const isRight = await isPassword(password, login?.password ?? NOBODYS_HASH);
  if (login !== undefined && isRight) return { ok: true as const, login };
  audit(c, { type: "login_failed", userId: login?.user_id });
  return { ok: false as const, answer: problem(c, "login_failed") };
}
