import { ENROLMENT_COUNTS_S } from "#protocol/enrolment";
import type { Deps } from "./deps";
import { settleSuspension } from "./settle-suspension";
import { listSuspended } from "./store/admin";
import { listSignedOut } from "./store/peers";
import { markSignedOut } from "./store/signed-out";

/**
 * Tells Redis again what Postgres knows of who must not lend: marks end, and Redis may have been away when somebody was
 * suspended or signed out, or left.
 */
export async function markAgain({ db, nowMs, redis }: Pick<Deps, "db" | "nowMs" | "redis">) {
  for (const id of await listSuspended(db)) await settleSuspension({ db, redis }, id);
  const signedOut = await listSignedOut(db, nowMs() - ENROLMENT_COUNTS_S * 1_000);
  for (const id of signedOut) await markSignedOut(redis, id, nowMs());
}
