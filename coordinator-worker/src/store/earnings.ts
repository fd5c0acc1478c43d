import { sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { Int8, sqlRows } from "./sql-rows";

const EarningsRow = z.object({
  part: z.enum(["day", "model", "node"]),
  /** A date, a model or a node's id. */
  key: z.string(),
  /** Of a node, where its owner gave it one. */
  name: z.string().nullable(),
  requests: Int8,
  completion_tokens: Int8,
  microcredits: Int8,
});
export type EarningsRow = z.infer<typeof EarningsRow>;

/**
 * What a user's nodes served in the last days, today among them, by day, by model and by node; every peer of the user
 * is a row. Undefined where the peer is not that user's.
 */
export async function readEarnings(
  db: NeonHttpDatabase,
  { userId, peerId, days }: { userId: string; peerId: string; days: number },
): Promise<EarningsRow[] | undefined> {
  const rows = await sqlRows(
    db,
    EarningsRow,
    sql`with asking as (
        select user_id from peers where id = ${peerId} and user_id = ${userId}
      ), served as (
        select to_char(r.settled_at at time zone 'utc', 'YYYY-MM-DD') as day, r.model, r.node_id,
          r.completion_tokens, r.amount - coalesce(d.escrowed - d.settled, 0) as earned
        from asking join receipts r on r.owner_id = asking.user_id
        left join disputes d on d.lease_id = r.lease_id and d.seq = r.seq and d.node_id = r.node_id
        where r.settled_at >=
          (date_trunc('day', now() at time zone 'utc') - make_interval(days => ${days - 1})) at time zone 'utc'
      ), summed as (
        select case when grouping(day) = 0 then 'day' when grouping(model) = 0 then 'model' else 'node' end as part,
          coalesce(day, model, node_id) as key, count(*) as requests,
          coalesce(sum(completion_tokens), 0)::bigint as completion_tokens, sum(earned)::bigint as microcredits
        from served group by grouping sets (day, model, node_id)
      )
      select part, key, null as name, requests, completion_tokens, microcredits from summed where part <> 'node'
      union all
      select 'node', p.id, p.name, coalesce(s.requests, 0), coalesce(s.completion_tokens, 0),
        coalesce(s.microcredits, 0)
      from asking join peers p on p.user_id = asking.user_id left join summed s on s.part = 'node' and s.key = p.id`,
  );
  return rows.length === 0 ? undefined : rows;
}
