import { TransactionType } from "#protocol/statement";
import { sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { escrowBefore, releaseBefore } from "./ledger";
import { Int8, sqlRows } from "./sql-rows";

const BalanceRow = z.object({ available: Int8, held: Int8, in_escrow: Int8 });

/** A user's balances in microcredits, once what is due has moved; undefined where the peer is not that user's. */
export async function readBalance(
  db: NeonHttpDatabase,
  { userId, peerId }: { readonly userId: string; readonly peerId: string },
  nowMs: number,
): Promise<z.infer<typeof BalanceRow> | undefined> {
  const rows = await sqlRows(
    db,
    BalanceRow,
    sql`select * from read_balance(${userId}, ${peerId}, ${releaseBefore(nowMs)}, ${escrowBefore(nowMs)})`,
  );
  return rows[0];
}

const TransactionRow = z.object({
  id: z.string(),
  type: TransactionType,
  lease_id: z.string().nullable(),
  model: z.string().nullable(),
  at_ms: Int8,
  available_change: Int8,
  held_change: Int8,
  escrow_change: Int8,
});
export type TransactionRow = z.infer<typeof TransactionRow>;

/**
 * A user's transfers below `beforeId` (of the newest on, without), newest first; undefined where the peer does
 * not belong to that user.
 */
export async function readTransactions(
  db: NeonHttpDatabase,
  page: { userId: string; peerId: string; beforeId: string | undefined; limit: number },
): Promise<TransactionRow[] | undefined> {
  const rows = await sqlRows(
    db,
    z.union([TransactionRow, z.object({ id: z.null() })]),
    sql`select t.id::text as id, t.type, t.lease_id, l.model,
        (extract(epoch from t.created_at) * 1000)::bigint as at_ms,
        coalesce(sum(e.amount) filter (where a.kind = 'available'), 0)::bigint as available_change,
        coalesce(sum(e.amount) filter (where a.kind = 'held'), 0)::bigint as held_change,
        coalesce(sum(e.amount) filter (where a.kind = 'escrow'), 0)::bigint as escrow_change
      from peers p
      left join lateral (
        select distinct e.transfer_id from entries e join accounts a on a.id = e.account_id
        where a.user_id = p.user_id
          and e.transfer_id < ${page.beforeId ?? "9223372036854775807"}::bigint
        order by e.transfer_id desc limit ${page.limit}
      ) mine on true
      left join transfers t on t.id = mine.transfer_id
      left join leases l on l.id = t.lease_id
      left join accounts a on a.user_id = p.user_id
      left join entries e on e.transfer_id = t.id and e.account_id = a.id
      where p.id = ${page.peerId} and p.user_id = ${page.userId}
      group by t.id, t.type, t.lease_id, l.model, t.created_at
      order by t.id desc`,
  );
  if (rows.length === 0) return undefined;
  return rows.filter((row) => row.id !== null);
}
