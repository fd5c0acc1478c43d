import { type AuditDetails, AuditType } from "#protocol/audit";
import { type SQL, sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { at } from "./ledger";
import { Int8, sqlRow, sqlRows } from "./sql-rows";

export type NewEvent = {
  /** Milliseconds. */
  readonly at: number;
  readonly type: AuditType;
  readonly user_id: string | null;
  readonly peer_id: string | null;
  readonly details: AuditDetails;
};

export async function insertEvents(
  db: NeonHttpDatabase,
  events: readonly NewEvent[],
): Promise<void> {
  await sqlRows(
    db,
    z.object({}),
    sql`insert into audit_events (at, type, user_id, peer_id, details)
      select to_timestamp(e.at / 1000.0), e.type, e.user_id, e.peer_id, e.details
      from jsonb_to_recordset(${JSON.stringify(events)}::jsonb)
        as e (at double precision, type text, user_id text, peer_id text, details jsonb)`,
  );
}

const EventRow = z.object({
  id: z.string(),
  at_ms: z.coerce.number(),
  type: AuditType,
  user_id: z.string().nullable(),
  peer_id: z.string().nullable(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
});
export type EventRow = z.infer<typeof EventRow>;

export type EventFilter = {
  readonly type: AuditType | undefined;
  readonly userId: string | undefined;
  readonly peerId: string | undefined;
  readonly sinceMs: number | undefined;
  readonly beforeId: string | undefined;
  readonly limit: number;
};

/** Newest first. */
export function readEvents(db: NeonHttpDatabase, filter: EventFilter): Promise<EventRow[]> {
  const { beforeId, limit, peerId, sinceMs, type, userId } = filter;
  const conditions: SQL[] = [sql`true`];
  if (type !== undefined) conditions.push(sql`type = ${type}`);
  if (userId !== undefined) conditions.push(sql`user_id = ${userId}`);
  if (peerId !== undefined) conditions.push(sql`peer_id = ${peerId}`);
  if (sinceMs !== undefined) conditions.push(sql`at >= ${at(sinceMs)}`);
  if (beforeId !== undefined) conditions.push(sql`id < ${beforeId}::bigint`);
  return sqlRows(
    db,
    EventRow,
    sql`select id::text, extract(epoch from at) * 1000 as at_ms, type, user_id, peer_id, details
      from audit_events where ${sql.join(conditions, sql` and `)} order by id desc limit ${limit}`,
  );
}

/** Rows that one statement deletes, so that none holds the table for long. */
const DELETED_AT_ONCE = 10_000;

/** Forgets events from before a moment. Returns how many. */
export async function deleteEventsBefore(db: NeonHttpDatabase, beforeMs: number): Promise<number> {
  let deleted = 0;
  for (;;) {
    const { count } = await sqlRow(
      db,
      z.object({ count: Int8 }),
      sql`with gone as (
        delete from audit_events where id in (
          select id from audit_events where at < ${at(beforeMs)} limit ${DELETED_AT_ONCE}
        ) returning 1
      ) select count(*) as count from gone`,
    );
    deleted += count;
    if (count < DELETED_AT_ONCE) return deleted;
  }
}
