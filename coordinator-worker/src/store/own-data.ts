import { EXPORT_MOST_ROWS, OwnData } from "#protocol/own-data";
import { type SQL, sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { sqlRow, sqlRows } from "./sql-rows";

/** Each is a query of rows, the newest first; `own` holds the user and those that are part of it. */
const LISTS: Readonly<Record<string, SQL>> = {
  sessions: sql`select s.created_at, s.last_used_at, s.expires_at from sessions s
    where s.user_id in (select id from own) order by s.created_at desc`,
  peers: sql`select p.id, p.name, p.public_key_x, p.created_at, p.last_used_at, p.revoked_at, p.signed_out_at,
      p.suspended_at, p.suspended_reason
    from peers p where p.user_id in (select id from own) order by p.created_at desc`,
  memberships: sql`select m.network_id, n.slug, m.role, m.joined_at from memberships m
    join networks n on n.id = m.network_id where m.user_id in (select id from own) order by m.joined_at desc`,
  transactions: sql`select t.id::text, t.type, t.lease_id, t.created_at, a.kind as account, e.amount::text as microcredits
    from accounts a join entries e on e.account_id = a.id join transfers t on t.id = e.transfer_id
    where a.user_id in (select id from own) order by t.id desc`,
  leases: sql`select l.id, l.peer_id, l.network, l.model, l.budget::text, l.spent::text, l.created_at, l.expires_at,
      l.released_at
    from leases l where l.user_id in (select id from own) order by l.created_at desc`,
  receipts: sql`select r.lease_id, r.seq, r.node_id, r.model, r.engine, r.started_at, r.engine_ms, r.prompt_tokens,
      r.completion_tokens, r.outcome, r.amount::text as microcredits, r.settled_at
    from receipts r where r.owner_id in (select id from own) order by r.settled_at desc`,
  acks: sql`select k.lease_id, k.seq, k.node_id, k.wall_ms, k.prompt_tokens, k.completion_tokens, k.outcome, k.acked_at
    from leases l join acks k on k.lease_id = l.id where l.user_id in (select id from own) order by k.acked_at desc`,
  benchmarks: sql`select b.node_id, b.at, b.version, b.in_round, b.compute_ops::text, b.memory_bytes::text,
      b.rate::text as microcredits, b.failure
    from peers p join benchmarks b on b.node_id = p.id where p.user_id in (select id from own) order by b.at desc`,
  audit_events: sql`select v.at, v.type, v.peer_id, v.details from audit_events v
    where v.user_id in (select id from own) order by v.id desc`,
};

/** What is kept about a person, in one snapshot; undefined where there is none. */
export async function readOwnData(
  db: NeonHttpDatabase,
  userId: string,
): Promise<OwnData | undefined> {
  // One row more than is given, which says that there are more.
  const lists = Object.entries(LISTS).map(
    ([name, query]) =>
      sql`${sql.raw(`'${name}'`)}, (select coalesce(jsonb_agg(to_jsonb(r)), '[]')
        from (${query} limit ${EXPORT_MOST_ROWS + 1}) r)`,
  );
  const [row] = await sqlRows(
    db,
    z.object({ data: OwnData.omit({ shortened: true }) }),
    sql`with own as (
        select id from users where id = ${userId} union all select id from users where merged_into = ${userId}
      )
      select jsonb_build_object('exported_at', now(), 'user', jsonb_build_object('id', l.user_id, 'email', l.email,
        'created_at', l.created_at), ${sql.join(lists, sql`, `)}) as data
      from logins l where l.user_id = ${userId}`,
  );
  return row === undefined ? undefined : shorten(row.data);
}

function shorten(data: Omit<OwnData, "shortened">): OwnData {
  const shortened: string[] = [];
  const entries = Object.entries(data).map(([name, value]) => {
    if (!Array.isArray(value) || value.length <= EXPORT_MOST_ROWS) return [name, value];
    shortened.push(name);
    return [name, value.slice(0, EXPORT_MOST_ROWS)];
  });
  return OwnData.parse({ ...Object.fromEntries(entries), shortened });
}

const Closed = z.object({ peers: z.array(z.string()), networks: z.array(z.string()) });

/** Forgets a person: the peers that were signed out with it, the networks that it was in. */
export function closePerson(
  db: NeonHttpDatabase,
  userId: string,
  ghostId: string,
): Promise<z.infer<typeof Closed>> {
  return sqlRow(
    db,
    Closed,
    sql`select coalesce(jsonb_agg(peer_id), '[]') as peers,
        (select coalesce(jsonb_agg(m.network_id), '[]') from memberships m where m.user_id = ${userId}) as networks
      from close_person(${userId}, ${ghostId})`,
  );
}
