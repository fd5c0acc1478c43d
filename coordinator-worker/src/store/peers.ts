import { sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { at } from "./ledger";
import { Int8, sqlRow, sqlRows } from "./sql-rows";

const Known = z.object({ suspended_reason: z.string().nullable() });

/** A peer that is here already, and used again. */
export async function touchPeer(
  db: NeonHttpDatabase,
  peerId: string,
): Promise<z.infer<typeof Known> | undefined> {
  const [known] = await sqlRows(
    db,
    Known,
    sql`update peers set last_used_at = now() where id = ${peerId}
      returning suspended_reason`,
  );
  return known;
}

export type LinkedPeer = {
  readonly peerId: string;
  readonly publicKeyX: string;
  readonly name: string | undefined;
  readonly userId: string;
  /** For a person who had none; null: none for now. */
  readonly starterMicrocredits: number | null;
  /** When the peer asked for it. */
  readonly requestedAtMs: number;
};

/**
 * Gives a peer, new or known, to a person; again changes nothing. False where the person is gone, or the peer was signed
 * out since it asked.
 */
export async function linkPeer(db: NeonHttpDatabase, peer: LinkedPeer): Promise<boolean> {
  const { outcome } = await sqlRow(
    db,
    z.object({ outcome: z.enum(["linked", "already_linked", "user_unknown", "code_over"]) }),
    sql`select link_peer(${peer.peerId}, ${peer.publicKeyX}, ${peer.name ?? null}, ${peer.userId},
      ${peer.starterMicrocredits}, ${at(peer.requestedAtMs)}) as outcome`,
  );
  return outcome === "linked" || outcome === "already_linked";
}

/** Signs a person's peer out, whose user becomes `ghostId`; again changes nothing. False where it is not that person's. */
export async function revokePeer(
  db: NeonHttpDatabase,
  peer: { readonly peerId: string; readonly userId: string; readonly ghostId: string },
): Promise<boolean> {
  const { done } = await sqlRow(
    db,
    z.object({ done: z.boolean() }),
    sql`select revoke_peer(${peer.peerId}, ${peer.userId}, ${peer.ghostId}) as done`,
  );
  return done;
}

/** Peers that were signed out since a moment, and are still. */
export async function listSignedOut(db: NeonHttpDatabase, sinceMs: number): Promise<string[]> {
  const rows = await sqlRows(
    db,
    z.object({ id: z.string() }),
    sql`select id from peers where revoked_at > ${at(sinceMs)}`,
  );
  return rows.map(({ id }) => id);
}

const PeerRow = z.object({
  id: z.string(),
  name: z.string().nullable(),
  created_at_ms: Int8,
  last_used_at_ms: Int8,
});
export type PeerRow = z.infer<typeof PeerRow>;

const columns = sql`p.id, p.name, (extract(epoch from p.created_at) * 1000)::bigint as created_at_ms,
  (extract(epoch from p.last_used_at) * 1000)::bigint as last_used_at_ms`;

/** A user's peers, the one used last first. */
export function readPeers(db: NeonHttpDatabase, userId: string): Promise<PeerRow[]> {
  return sqlRows(
    db,
    PeerRow,
    sql`select ${columns} from peers p where p.user_id = ${userId} order by p.last_used_at desc, p.id`,
  );
}

/** The same, of the user to whom a peer belongs. */
export function readPeersBeside(db: NeonHttpDatabase, peerId: string): Promise<PeerRow[]> {
  return sqlRows(
    db,
    PeerRow,
    sql`select ${columns} from peers own join peers p on p.user_id = own.user_id
      where own.id = ${peerId} and own.revoked_at is null order by p.last_used_at desc, p.id`,
  );
}

/** The person to whom a peer belongs, or did until it was signed out; undefined where that is nobody. */
export async function readOwner(db: NeonHttpDatabase, peerId: string): Promise<string | undefined> {
  const [row] = await sqlRows(
    db,
    z.object({ user_id: z.string() }),
    sql`select l.user_id from peers p join users u on u.id = p.user_id
      join logins l on l.user_id in (u.id, u.merged_into) where p.id = ${peerId}`,
  );
  return row?.user_id;
}
