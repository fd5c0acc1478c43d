import { Invite, type InviteRole, NetworkRole } from "#protocol/network";
import { type SQL, sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { at } from "./ledger";
import { MAX_MEMBERS, MAX_NETWORKS } from "./networks";
import { sqlRow } from "./sql-rows";

/** Invites of one network that are open at a time. */
const MAX_INVITES = 100;

export type InviteToMake = {
  readonly id: string;
  readonly networkId: string;
  readonly codeHash: string;
  readonly role: InviteRole;
  readonly uses: number;
  readonly expiresAtMs: number;
};

/** Makes an invite where the peer's user owns the network; forgets those that are over. */
export async function createInvite(
  db: NeonHttpDatabase,
  peerId: string,
  invite: InviteToMake,
  nowMs: number,
): Promise<"created" | "network_unknown" | "forbidden" | "too_many"> {
  const { role, isMade } = await sqlRow(
    db,
    z.object({ role: NetworkRole.nullable(), isMade: z.boolean() }),
    sql`with caller as (
        select m.role from peers p join memberships m on m.user_id = p.user_id
        where p.id = ${peerId} and m.network_id = ${invite.networkId}
      ), over as (
        delete from invites
        where network_id = ${invite.networkId} and (uses_left = 0 or expires_at <= ${at(nowMs)})
          and exists (select from caller where role = 'owner')
      ), made as (
        insert into invites (id, network_id, code_hash, role, uses_left, expires_at)
          select ${invite.id}, ${invite.networkId}, ${invite.codeHash}, ${invite.role}, ${invite.uses}::int,
            ${at(invite.expiresAtMs)}
          from caller where role = 'owner' and ${MAX_INVITES} > (
            select count(*) from invites
            where network_id = ${invite.networkId} and uses_left > 0 and expires_at > ${at(nowMs)})
          returning id
      )
      select (select role from caller) as role, exists (select from made) as "isMade"`,
  );
  if (role === null) return "network_unknown";
  if (role !== "owner") return "forbidden";
  return isMade ? "created" : "too_many";
}

const Accepted = z.object({
  outcome: z.enum([
    "joined",
    "already_in",
    "not_registered",
    "invite_invalid",
    "too_many",
    "network_full",
  ]),
  user_id: z.string().nullable(),
  network_id: z.string().nullable(),
  /** Of the user. */
  peers: z.array(z.string()),
});

/** Makes the peer's user a member by the hash of an invite's code. */
export function acceptInvite(
  db: NeonHttpDatabase,
  peerId: string,
  codeHash: string,
  nowMs: number,
): Promise<z.infer<typeof Accepted>> {
  return sqlRow(
    db,
    Accepted,
    sql`select a.*, (select coalesce(jsonb_agg(k.id), '[]') from peers k where k.user_id = a.user_id) as peers
      from accept_invite(${codeHash}, ${peerId}, ${at(nowMs)}, ${MAX_NETWORKS}, ${MAX_MEMBERS}) a`,
  );
}

const caller = (peerId: string, networkId: string): SQL => sql`(
  select m.role from peers p join memberships m on m.user_id = p.user_id
  where p.id = ${peerId} and m.network_id = ${networkId})`;

const OpenInvites = z.object({
  role: NetworkRole.nullable(),
  invites: z.array(Invite.omit({ expires_at: true }).extend({ expires_at_ms: z.number() })),
});

/** The open invites of a network, for its owners; `role`: what the peer's user is there, null where it is no member. */
export async function readInvites(
  db: NeonHttpDatabase,
  peerId: string,
  networkId: string,
  nowMs: number,
): Promise<{ role: NetworkRole | null; invites: Invite[] }> {
  const { role, invites } = await sqlRow(
    db,
    OpenInvites,
    sql`select ${caller(peerId, networkId)} as role, (
        select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'role', i.role, 'uses_left', i.uses_left,
          'expires_at_ms', floor(extract(epoch from i.expires_at) * 1000)) order by i.created_at), '[]')
        from invites i
        where i.network_id = ${networkId} and i.uses_left > 0 and i.expires_at > ${at(nowMs)}
          and ${caller(peerId, networkId)} = 'owner'
      ) as invites`,
  );
  const open = invites.map(({ expires_at_ms, ...invite }) => ({
    ...invite,
    expires_at: new Date(expires_at_ms).toISOString(),
  }));
  return { role, invites: open };
}

/** Takes an invite back; again changes nothing. Says what the peer's user is in the network. */
export async function revokeInvite(
  db: NeonHttpDatabase,
  peerId: string,
  networkId: string,
  inviteId: string,
): Promise<NetworkRole | null> {
  const { role } = await sqlRow(
    db,
    z.object({ role: NetworkRole.nullable() }),
    sql`with gone as (
        delete from invites
        where id = ${inviteId} and network_id = ${networkId} and ${caller(peerId, networkId)} = 'owner'
      )
      select ${caller(peerId, networkId)} as role`,
  );
  return role;
}
