import type { GrantRequest } from "#protocol/admin";
import { type SQL, sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { at } from "./ledger";
import { Int8, sqlRow, sqlRows } from "./sql-rows";

const ms = (column: SQL): SQL => sql`(extract(epoch from ${column}) * 1000)::float8`;
const Ms = z.coerce.number();

const UserRow = z.object({
  user_id: z.string(),
  created_at_ms: Ms,
  peers: Int8,
  available: Int8,
  held: Int8,
  in_escrow: Int8,
});

/** By id, from behind `after`. */
export function listUsers(db: NeonHttpDatabase, after: string | undefined, limit: number) {
  return sqlRows(
    db,
    UserRow,
    sql`select u.id as user_id, ${ms(sql`u.created_at`)} as created_at_ms,
        (select count(*) from peers p where p.user_id = u.id and p.revoked_at is null) as peers,
        coalesce(max(a.balance) filter (where a.kind = 'available'), 0) as available,
        coalesce(max(a.balance) filter (where a.kind = 'held'), 0) as held,
        coalesce(max(a.balance) filter (where a.kind = 'escrow'), 0) as in_escrow
      from (select * from users where id > ${after ?? ""} order by id limit ${limit}) u
      left join accounts a on a.user_id = u.id
      group by u.id, u.created_at order by u.id`,
  );
}

const PeerRow = z.object({
  id: z.string(),
  user_id: z.string(),
  created_at_ms: Ms,
  suspended_at_ms: Ms.nullable(),
  suspended_reason: z.string().nullable(),
});

export type PeerFilter = {
  readonly after: string | undefined;
  readonly userId: string | undefined;
  readonly isSuspended: boolean | undefined;
  readonly limit: number;
};

/** By id, from behind `after`. */
export function listPeers(db: NeonHttpDatabase, filter: PeerFilter) {
  const conditions = [sql`id > ${filter.after ?? ""}`];
  if (filter.userId !== undefined) conditions.push(sql`user_id = ${filter.userId}`);
  if (filter.isSuspended === true) conditions.push(sql`suspended_at is not null`);
  if (filter.isSuspended === false) conditions.push(sql`suspended_at is null`);
  return sqlRows(
    db,
    PeerRow,
    sql`select id, user_id, ${ms(sql`created_at`)} as created_at_ms,
        ${ms(sql`suspended_at`)} as suspended_at_ms, suspended_reason
      from peers where ${sql.join(conditions, sql` and `)} order by id limit ${filter.limit}`,
  );
}

/** False where there is no such peer; a suspended one gets the newer reason. */
export async function suspendPeer(
  db: NeonHttpDatabase,
  peerId: string,
  reason: string,
  nowMs: number,
): Promise<boolean> {
  const rows = await sqlRows(
    db,
    z.object({ id: z.string() }),
    sql`update peers set suspended_at = coalesce(suspended_at, ${at(nowMs)}), suspended_reason = ${reason}
      where id = ${peerId} returning id`,
  );
  return rows.length > 0;
}

/** False where there is no such peer. */
export async function reinstatePeer(db: NeonHttpDatabase, peerId: string): Promise<boolean> {
  const rows = await sqlRows(
    db,
    z.object({ id: z.string() }),
    sql`update peers set suspended_at = null, suspended_reason = null where id = ${peerId} returning id`,
  );
  return rows.length > 0;
}

/** Why a peer is suspended; undefined where it is not. */
export async function readSuspension(
  db: NeonHttpDatabase,
  peerId: string,
): Promise<string | undefined> {
  const [row] = await sqlRows(
    db,
    z.object({ reason: z.string() }),
    sql`select suspended_reason as reason from peers where id = ${peerId} and suspended_at is not null`,
  );
  return row?.reason;
}

const SuspendedRow = z.object({ id: z.string(), reason: z.string() });

/** All of them: few, since a person decided on each. */
export function listSuspended(db: NeonHttpDatabase): Promise<z.infer<typeof SuspendedRow>[]> {
  return sqlRows(
    db,
    SuspendedRow,
    sql`select id, suspended_reason as reason from peers where suspended_at is not null`,
  );
}

const Granted = z.object({ status: z.enum(["granted", "already_granted", "no_user"]) });

export async function grantCredits(db: NeonHttpDatabase, grant: GrantRequest) {
  const { key, microcredits, user_id } = grant;
  const row = await sqlRow(
    db,
    Granted,
    sql`select grant_credits(${key}, ${user_id}, ${microcredits}) as status`,
  );
  return row.status;
}

const GrantRow = z.object({
  id: z.string(),
  at_ms: Ms,
  key: z.string(),
  user_id: z.string(),
  microcredits: Int8,
});

/** Newest first. */
export function listGrants(db: NeonHttpDatabase, before: string | undefined, limit: number) {
  const older = before === undefined ? sql`true` : sql`t.id < ${before}::bigint`;
  return sqlRows(
    db,
    GrantRow,
    sql`select t.id::text, ${ms(sql`t.created_at`)} as at_ms,
        substr(t.idempotency_key, length('operator_grant:') + 1) as key, a.user_id, e.amount as microcredits
      from transfers t join entries e on e.transfer_id = t.id and e.amount > 0
        join accounts a on a.id = e.account_id
      where t.type = 'operator_grant' and ${older} order by t.id desc limit ${limit}`,
  );
}
