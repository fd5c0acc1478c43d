import type { AckClaims } from "#protocol/ack";
import type { PeerId } from "#protocol/identity";
import { Membership, NetworkPolicy } from "#protocol/network";
import type { ReceiptClaims } from "#protocol/receipt";
import { LEASE_KEPT_S } from "#protocol/ticket";
import { type SQL, sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { Int8, sqlRow, sqlRows } from "./sql-rows";

/** Minutes that an ack may take; without one the receipt is paid. */
const ESCROW_MINUTES = 10;

export const at = (ms: number): SQL => sql`to_timestamp(${ms} / 1000.0)`;
/** Leases that ended before this are refunded. */
export const releaseBefore = (nowMs: number) => at(nowMs - LEASE_KEPT_S * 1_000);
/** What went into escrow before this is released. */
export const escrowBefore = (nowMs: number) => at(nowMs - ESCROW_MINUTES * 60_000);

export type NewPeer = {
  readonly peerId: string;
  readonly publicKeyX: string;
  readonly name: string | undefined;
  /** The user that it becomes, unless it is known. */
  readonly newUserId: string;
  /** Null: none for now. */
  readonly starterMicrocredits: number | null;
};

const Registered = z.object({
  user_id: z.string(),
  networks: z.array(Membership.extend({ policy: NetworkPolicy })),
  /** It was signed out by then; whoever does it later also ends what is given out meanwhile. */
  is_revoked: z.boolean(),
});

/** The user that the peer belongs to, and the user's private networks; starter credits are granted once. */
export function registerPeer(
  db: NeonHttpDatabase,
  peer: NewPeer,
): Promise<z.infer<typeof Registered>> {
  return sqlRow(
    db,
    Registered,
    sql`select r.user_id, (
        select coalesce(jsonb_agg(jsonb_build_object(
          'network', n.id, 'name', n.slug, 'role', m.role, 'policy', n.policy) order by m.joined_at), '[]')
        from memberships m join networks n on n.id = m.network_id where m.user_id = r.user_id
      ) as networks, exists (select from peers p where p.id = ${peer.peerId} and p.revoked_at is not null) as is_revoked
      from register_peer(${peer.peerId}, ${peer.publicKeyX}, ${peer.name ?? null},
        ${peer.newUserId}, ${peer.starterMicrocredits}) as r (user_id)`,
  );
}

/** Starter credits for the user of a peer that has proven its hardware; once for a user. */
export async function grantProvenStarter(
  db: NeonHttpDatabase,
  peerId: string,
  microcredits: number,
): Promise<void> {
  await sqlRow(db, z.unknown(), sql`select grant_proven_starter(${peerId}, ${microcredits})`);
}

const Held = z.object({
  outcome: z.enum([
    "held",
    "not_registered",
    "peer_revoked",
    "credits_exhausted",
    "replayed",
    "network_unknown",
    "may_not_use",
    "model_not_allowed",
  ]),
  user_id: z.string().nullable(),
  /** Microcredits that were held: 0 where the network takes none. */
  budget: Int8,
  available: Int8,
  held: Int8,
  credits: z.boolean(),
  own_nodes_first: z.boolean(),
});
export type Held = z.infer<typeof Held>;

export type NewLease = {
  readonly leaseId: string;
  readonly peerId: string;
  readonly network: string;
  readonly model: string;
  /** The most to hold, in microcredits. */
  readonly budget: number;
  readonly expiresAtMs: number;
};

/**
 * Holds what the payer has, up to the budget, where the payer may use the network: in one statement that cannot overdraw.
 */
export function holdCredits(db: NeonHttpDatabase, lease: NewLease, nowMs: number): Promise<Held> {
  return sqlRow(
    db,
    Held,
    sql`select * from hold_in_network(${lease.leaseId}, ${lease.peerId}, ${lease.network}, ${lease.model},
      ${lease.budget}, ${at(lease.expiresAtMs)}, ${releaseBefore(nowMs)},
      ${escrowBefore(nowMs)})`,
  );
}

const Extended = z.object({
  outcome: z.enum(["extended", "lease_not_found"]),
  budget: Int8,
  available: Int8,
});

/** Adds to an open lease of a network that its user still may use; `key` makes it count once. */
export function extendLease(
  db: NeonHttpDatabase,
  lease: { leaseId: string; peerId: string; add: number; expiresAtMs: number; key: string },
): Promise<z.infer<typeof Extended>> {
  return sqlRow(
    db,
    Extended,
    sql`select * from extend_in_network(${lease.leaseId}, ${lease.peerId}, ${lease.add},
      ${at(lease.expiresAtMs)}, ${lease.key})`,
  );
}

/** Ends a lease whose ticket was never handed out. */
export async function voidLease(db: NeonHttpDatabase, leaseId: string): Promise<void> {
  await sqlRows(db, z.unknown(), sql`select void_lease(${leaseId})`);
}

/** A receipt that may be settled, with what it may claim. */
export type ReceiptItem = {
  /** Place among all items. */
  readonly item: number;
  readonly receipt: ReceiptClaims;
  /** Microcredits. */
  readonly claim: number;
  /** Microcredits a second. */
  readonly rate: number;
};

export type AckItem = { readonly item: number; readonly ack: AckClaims };

const Settled = z.object({
  item: z.int(),
  status: z.enum([
    "settled",
    "already_settled",
    "matched",
    "disputed",
    "kept",
    "already_acked",
    "too_late",
    "lease_unknown",
  ]),
  amount: Int8,
});
export type Settled = z.infer<typeof Settled>;

/** Settles receipts of `sender` as a node and its acks as a client, each once, in one round trip. */
export async function settleItems(
  db: NeonHttpDatabase,
  sender: PeerId,
  receipts: readonly ReceiptItem[],
  acks: readonly AckItem[],
  nowMs: number,
): Promise<Settled[]> {
  if (receipts.length + acks.length === 0) return [];
  const receiptRows = receipts.map(({ receipt, ...rest }) => ({
    ...receipt,
    ...rest,
    node: sender,
  }));
  const ackRows = acks.map(({ ack, item }) => ({ ...ack, item, client: sender }));
  return sqlRows(
    db,
    Settled,
    sql`select * from settle_batch(${JSON.stringify(receiptRows)}::jsonb,
      ${JSON.stringify(ackRows)}::jsonb, ${escrowBefore(nowMs)})`,
  );
}
