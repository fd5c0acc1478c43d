import { ENROLMENT_COUNTS_S } from "#protocol/enrolment";
import type { Deps } from "./deps";
import { listSuspended } from "./store/admin";
import { listSignedOut } from "./store/peers";
import { markSignedOut } from "./store/signed-out";
import { liftSuspension, markSuspended } from "./store/suspensions";

/**
 * Tells Redis again what Postgres knows of who must not lend: marks end, and Redis may have been away when somebody was
 * suspended or signed out, or left.
 */
export async function markAgain({ db, nowMs, redis }: Pick<Deps, "db" | "nowMs" | "redis">) {
  const suspended = await listSuspended(db);
  for (const { id, reason } of suspended) await markSuspended(redis, id, reason);
  // Who was reinstated meanwhile was marked behind that.
  const still = new Set((await listSuspended(db)).map(({ id }) => id));
  for (const { id } of suspended) if (!still.has(id)) await liftSuspension(redis, id);

  const signedOut = await listSignedOut(db, nowMs() - ENROLMENT_COUNTS_S * 1_000);
  for (const id of signedOut) await markSignedOut(redis, id, nowMs());
}
