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

const userOf = (peerId: string): SQL => sql`(select p.user_id from peers p where p.id = ${peerId})`;

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
  by_user: z.string().nullable(),
});

/** `by_user`: whose peer asked. */
export function removeMember(
  db: NeonHttpDatabase,
  { networkId, peerId, userId }: AboutMember,
): Promise<z.infer<typeof RemovedRow>> {
  return sqlRow(
    db,
    RemovedRow,
    sql`select remove_member(${networkId}, ${peerId}, ${userId}) as outcome, ${userOf(peerId)} as by_user`,
  );
}

const ChangedRow = z.object({
  outcome: z.enum(["changed", "network_unknown", "forbidden", "member_unknown", "last_owner"]),
});

export async function changeRole(
  db: NeonHttpDatabase,
  { networkId, peerId, userId }: AboutMember,
  role: NetworkRole,
): Promise<z.infer<typeof ChangedRow>["outcome"]> {
  const { outcome } = await sqlRow(
    db,
    ChangedRow,
    sql`select change_role(${networkId}, ${peerId}, ${userId}, ${role}) as outcome`,
  );
  return outcome;
}

const Caller = z.object({ role: NetworkRole, user_id: z.string() });

/** Changes a network's policy where the peer's user owns it; says who that is, and what. Undefined where it is no member. */
export async function changePolicy(
  db: NeonHttpDatabase,
  peerId: string,
  networkId: string,
  change: PolicyChange,
): Promise<z.infer<typeof Caller> | undefined> {
  const [caller] = await sqlRows(
    db,
    Caller,
    sql`select * from change_policy(${networkId}, ${peerId}, ${JSON.stringify(change)}::jsonb)`,
  );
  return caller;
}

const LenderRow = z.object({
  userId: z.string(),
  /** Null where it is no member, and the policy where the network is gone. */
  role: NetworkRole.nullable(),
  policy: NetworkPolicy.nullable(),
  peers: z.array(z.string()),
});
export type LenderRow = z.infer<typeof LenderRow>;

/** What these users, or all members, are in a network, with their peers; by id. */
export function readLenders(
  db: NeonHttpDatabase,
  networkId: string,
  userIds: readonly string[] | "members",
): Promise<LenderRow[]> {
  const among =
    userIds === "members"
      ? sql`m.user_id is not null`
      : sql`u.id in (select jsonb_array_elements_text(${JSON.stringify(userIds)}::jsonb))`;
  return sqlRows(
    db,
    LenderRow,
    sql`select u.id as "userId", m.role, n.policy,
        (select coalesce(jsonb_agg(k.id), '[]') from peers k where k.user_id = u.id) as peers
      from users u
      left join memberships m on m.user_id = u.id and m.network_id = ${networkId}
      left join networks n on n.id = ${networkId}
      where ${among} order by u.id`,
  );
}
