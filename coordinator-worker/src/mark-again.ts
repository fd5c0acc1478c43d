import { ENROLMENT_COUNTS_S } from "#protocol/enrolment";
import type { Deps } from "./deps";
import { settleSuspension } from "./settle-suspension";
import { listSuspended } from "./store/admin";
import { listSignedOut } from "./store/peers";
import { markSignedOut } from "./store/signed-out";
import { markSuspended } from "./store/suspensions";

/**
 * Tells Redis again what Postgres knows of who must not lend: marks end, and Redis may have been away when somebody was
 * suspended or signed out, or left.
 */
export async function markAgain({ db, nowMs, redis }: Pick<Deps, "db" | "nowMs" | "redis">) {
  const suspended = await listSuspended(db);
  await markSuspended(redis, suspended);
  // Somebody may have been reinstated, or suspended for another reason, since they were read.
  const reasons = new Map((await listSuspended(db)).map(({ id, reason }) => [id, reason]));
  for (const { id, reason } of suspended) {
    if (reasons.get(id) !== reason) await settleSuspension({ db, redis }, id);
  }
  const signedOut = await listSignedOut(db, nowMs() - ENROLMENT_COUNTS_S * 1_000);
  await markSignedOut(redis, signedOut, nowMs());
}
