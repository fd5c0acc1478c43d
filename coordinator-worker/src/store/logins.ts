import { sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { at } from "./ledger";
import { sqlRow, sqlRows } from "./sql-rows";

export type NewLogin = {
  readonly userId: string;
  readonly email: string;
  readonly passwordHash: string;
};

const Created = z.object({ created: z.enum(["created", "email_taken", "invite_invalid"]) });
type Created = z.infer<typeof Created>["created"];

/** A person and the user that it is; an email is taken once, also by two at the same moment. */
export async function createLogin(db: NeonHttpDatabase, login: NewLogin): Promise<Created> {
  const { userId, email, passwordHash } = login;
  const { created } = await sqlRow(
    db,
    Created,
    sql`select case when create_login(${userId}, ${email}, ${passwordHash}) then 'created'
      else 'email_taken' end as created`,
  );
  return created;
}

/** The same, by an invite, which is used up only by those who join: all of it is one statement. */
export async function createInvitedLogin(
  db: NeonHttpDatabase,
  { userId, email, passwordHash }: NewLogin,
  codeHash: string,
): Promise<Created> {
  const { created } = await sqlRow(
    db,
    Created,
    sql`select create_invited_login(${userId}, ${email}, ${passwordHash}, ${codeHash}) as created`,
  );
  return created;
}

/** People may join by the code as often as it says, until it ends; codes that ended are forgotten. */
export async function createSignupInvite(
  db: NeonHttpDatabase,
  invite: { readonly codeHash: string; readonly uses: number; readonly expiresAtMs: number },
): Promise<void> {
  await sqlRows(
    db,
    z.unknown(),
    sql`with over as (delete from signup_invites where expires_at < now())
      insert into signup_invites (code_hash, uses_left, expires_at)
        values (${invite.codeHash}, ${invite.uses}, ${at(invite.expiresAtMs)})`,
  );
}

const Login = z.object({ user_id: z.string(), password: z.string() });

export async function readLogin(
  db: NeonHttpDatabase,
  email: string,
): Promise<z.infer<typeof Login> | undefined> {
  const rows = await sqlRows(
    db,
    Login,
    sql`select user_id, password from logins where email = ${email}`,
  );
  return rows[0];
}

export async function replacePassword(
  db: NeonHttpDatabase,
  userId: string,
  passwordHash: string,
): Promise<void> {
  await sqlRows(
    db,
    z.unknown(),
    sql`update logins set password = ${passwordHash} where user_id = ${userId}`,
  );
}
