import { sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { at } from "./ledger";
import { Int8, sqlRows } from "./sql-rows";

/** Sessions that one person may have; the oldest ends for a new one. */
const MOST = 20;

const OpenSession = z.object({
  token_hash: z.string(),
  user_id: z.string(),
  email: z.string(),
  joined_at_ms: Int8,
  created_at_ms: Int8,
  expires_at_ms: Int8,
});
export type OpenSession = z.infer<typeof OpenSession>;

/** False where the person is gone, also where that happens at this moment. */
export async function createSession(
  db: NeonHttpDatabase,
  session: { readonly tokenHash: string; readonly userId: string; readonly expiresAtMs: number },
): Promise<boolean> {
  const made = await sqlRows(
    db,
    z.unknown(),
    sql`with surplus as (
        delete from sessions where user_id = ${session.userId} and (expires_at < now() or token_hash in (
          select token_hash from sessions where user_id = ${session.userId}
          order by created_at desc offset ${MOST - 1}))
      )
      insert into sessions (token_hash, user_id, expires_at)
        select ${session.tokenHash}, l.user_id, ${at(session.expiresAtMs)}
        from logins l where l.user_id = ${session.userId} for key share returning 1`,
  );
  return made.length > 0;
}

/** The person whose session it is, while it lasts. */
export async function readSession(
  db: NeonHttpDatabase,
  tokenHash: string,
): Promise<OpenSession | undefined> {
  const [session] = await sqlRows(
    db,
    OpenSession,
    sql`with used as (
        update sessions set last_used_at = now()
        where token_hash = ${tokenHash} and last_used_at < now() - interval '1 hour'
      )
      select s.token_hash, l.user_id, l.email,
        (extract(epoch from l.created_at) * 1000)::bigint as joined_at_ms,
        (extract(epoch from s.created_at) * 1000)::bigint as created_at_ms,
        (extract(epoch from s.expires_at) * 1000)::bigint as expires_at_ms
      from sessions s join logins l on l.user_id = s.user_id
      where s.token_hash = ${tokenHash} and s.expires_at > now()`,
  );
  return session;
}

export async function endSession(db: NeonHttpDatabase, tokenHash: string): Promise<void> {
  await sqlRows(db, z.unknown(), sql`delete from sessions where token_hash = ${tokenHash}`);
}
