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

const Made = z.object({
  outcome: z.enum(["created", "network_unknown", "forbidden", "too_many"]),
  user_id: z.string().nullable(),
});

/** Makes an invite where the peer's user owns the network; forgets those that are over. */
export function createInvite(
  db: NeonHttpDatabase,
  peerId: string,
  invite: InviteToMake,
  nowMs: number,
): Promise<z.infer<typeof Made>> {
  return sqlRow(
    db,
    Made,
    sql`select * from create_invite(${invite.id}, ${invite.networkId}, ${peerId}, ${invite.codeHash}, ${invite.role},
      ${invite.uses}, ${at(invite.expiresAtMs)}, ${at(nowMs)}, ${MAX_INVITES})`,
  );
}

const Accepted = z.object({
  outcome: z.enum([
    "joined",
    "already_in",
    "not_registered",
    "peer_revoked",
    "invite_invalid",
    "too_many",
    "network_full",
  ]),
  user_id: z.string().nullable(),
  network_id: z.string().nullable(),
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
    sql`select * from accept_invite(${codeHash}, ${peerId}, ${at(nowMs)}, ${MAX_NETWORKS}, ${MAX_MEMBERS})`,
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

const Revoked = z.object({
  role: NetworkRole.nullable(),
  user_id: z.string().nullable(),
  is_gone: z.boolean(),
});

/** Takes an invite back; again changes nothing. Says who the peer's user is, and what in the network. */
export function revokeInvite(
  db: NeonHttpDatabase,
  peerId: string,
  networkId: string,
  inviteId: string,
): Promise<z.infer<typeof Revoked>> {
  return sqlRow(
    db,
    Revoked,
    sql`with gone as (
        delete from invites
        where id = ${inviteId} and network_id = ${networkId} and ${caller(peerId, networkId)} = 'owner' returning id
      )
      select ${caller(peerId, networkId)} as role, exists (select from gone) as is_gone,
        (select p.user_id from peers p where p.id = ${peerId}) as user_id`,
  );
}
