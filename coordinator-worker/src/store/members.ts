import { Member, NetworkPolicy, NetworkRole, type PolicyChange } from "#protocol/network";
import { type SQL, sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { Int8, sqlRow, sqlRows } from "./sql-rows";

/** Who asks, about which network and which of its members. */
export type AboutMember = {
  readonly peerId: string;
  readonly networkId: string;
  readonly userId: string;
};

const Peers = z.array(z.string());
const peersOf = (userId: string | SQL): SQL =>
  sql`(select coalesce(jsonb_agg(k.id), '[]') from peers k where k.user_id = ${userId})`;

/** The members of a network that the peer's user belongs to; none of any other. */
export async function readMembers(
  db: NeonHttpDatabase,
  peerId: string,
  networkId: string,
): Promise<Member[]> {
  const rows = await sqlRows(
    db,
    Member.omit({ joined_at: true }).extend({ joined_at_ms: Int8 }),
    sql`select m.user_id, m.role, (extract(epoch from m.joined_at) * 1000)::bigint as joined_at_ms
      from peers p
      join memberships own on own.user_id = p.user_id
      join memberships m on m.network_id = own.network_id
      where p.id = ${peerId} and own.network_id = ${networkId}
      order by m.joined_at, m.user_id`,
  );
  return rows.map(({ joined_at_ms, ...member }) => ({
    ...member,
    joined_at: new Date(joined_at_ms).toISOString(),
  }));
}

const RemovedRow = z.object({
  outcome: z.enum(["removed", "network_unknown", "forbidden", "member_unknown", "last_owner"]),
  peers: Peers,
});

export function removeMember(
  db: NeonHttpDatabase,
  { networkId, peerId, userId }: AboutMember,
): Promise<z.infer<typeof RemovedRow>> {
  return sqlRow(
    db,
    RemovedRow,
    sql`select remove_member(${networkId}, ${peerId}, ${userId}) as outcome, ${peersOf(userId)} as peers`,
  );
}

const ChangedRow = z.object({
  outcome: z.enum(["changed", "network_unknown", "forbidden", "member_unknown", "last_owner"]),
  policy: NetworkPolicy.nullable(),
  peers: Peers,
});

export function changeRole(
  db: NeonHttpDatabase,
  { networkId, peerId, userId }: AboutMember,
  role: NetworkRole,
): Promise<z.infer<typeof ChangedRow>> {
  return sqlRow(
    db,
    ChangedRow,
    sql`select change_role(${networkId}, ${peerId}, ${userId}, ${role}) as outcome,
      (select policy from networks where id = ${networkId}) as policy, ${peersOf(userId)} as peers`,
  );
}

/** Changes a network's policy where the peer's user owns it; says what the user is, null where it is no member. */
export async function changePolicy(
  db: NeonHttpDatabase,
  peerId: string,
  networkId: string,
  change: PolicyChange,
): Promise<NetworkRole | null> {
  const { role } = await sqlRow(
    db,
    z.object({ role: NetworkRole.nullable() }),
    sql`with caller as (
        select m.role from peers p join memberships m on m.user_id = p.user_id
        where p.id = ${peerId} and m.network_id = ${networkId}
      ), changed as (
        update networks set policy = policy || ${JSON.stringify(change)}::jsonb
        where id = ${networkId} and exists (select from caller where role = 'owner')
      )
      select (select role from caller) as role`,
  );
  return role;
}

const LenderRow = z.object({ user_id: z.string(), role: NetworkRole, peers: Peers });

/** All members of a network with their peers. */
export function readLenders(
  db: NeonHttpDatabase,
  networkId: string,
): Promise<z.infer<typeof LenderRow>[]> {
  return sqlRows(
    db,
    LenderRow,
    sql`select m.user_id, m.role, ${peersOf(sql`m.user_id`)} as peers
      from memberships m where m.network_id = ${networkId}`,
  );
}
