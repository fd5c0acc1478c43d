import { Network, NetworkPolicy, NetworkRole } from "#protocol/network";
import { sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { Int8, sqlRow, sqlRows } from "./sql-rows";

/** Networks of one user, the public one among them: no more than an enrolment may name. */
export const MAX_NETWORKS = 50;
export const MAX_MEMBERS = 1_000;

const Created = z.object({
  outcome: z.enum(["created", "not_registered", "peer_revoked", "name_taken", "too_many"]),
  /** Of the peer. */
  user_id: z.string().nullable(),
});

export function createNetwork(
  db: NeonHttpDatabase,
  network: { id: string; name: string; policy: NetworkPolicy; peerId: string },
): Promise<z.infer<typeof Created>> {
  return sqlRow(
    db,
    Created,
    sql`select create_network(${network.id}, ${network.name}, ${JSON.stringify(network.policy)}::jsonb,
      ${network.peerId}, ${MAX_NETWORKS}) as outcome,
      (select p.user_id from peers p where p.id = ${network.peerId}) as user_id`,
  );
}

const NetworkRow = Network.omit({ created_at: true }).extend({ created_at_ms: Int8 });

/** The private networks that a peer's user belongs to, or the one of them that is named. */
export async function readNetworks(
  db: NeonHttpDatabase,
  peerId: string,
  networkId?: string,
): Promise<Network[]> {
  const rows = await sqlRows(
    db,
    NetworkRow,
    sql`select n.id, n.slug as name, m.role, n.policy,
        (select count(*)::int from memberships k where k.network_id = n.id) as members,
        (extract(epoch from n.created_at) * 1000)::bigint as created_at_ms
      from peers p
      join memberships m on m.user_id = p.user_id
      join networks n on n.id = m.network_id
      where p.id = ${peerId} and (${networkId ?? null}::text is null or n.id = ${networkId ?? null})
      order by n.slug, n.id`,
  );
  return rows.map(({ created_at_ms, ...network }) => ({
    ...network,
    created_at: new Date(created_at_ms).toISOString(),
  }));
}

const Standing = z.object({ user_id: z.string(), role: NetworkRole, policy: NetworkPolicy });

/** What a peer is in a private network; undefined where the network is not there or not the peer's. */
export async function readStanding(
  db: NeonHttpDatabase,
  peerId: string,
  networkId: string,
): Promise<z.infer<typeof Standing> | undefined> {
  const [row] = await sqlRows(
    db,
    Standing,
    sql`select m.user_id, m.role, n.policy
      from peers p
      join memberships m on m.user_id = p.user_id
      join networks n on n.id = m.network_id
      where p.id = ${peerId} and n.id = ${networkId}`,
  );
  return row;
}
