import type { ReceiptClaims } from "#protocol/receipt";
import { type SQL, sql } from "drizzle-orm";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import { z } from "zod";
import { Int8, sqlRow, sqlRows } from "./sql-rows";

/** Minutes after its end that a lease keeps its hold: receipts may still be on their way. */
const RELEASE_AFTER_MINUTES = 10;
/** Leases that one sweep gives back; the next sweep goes on. */
const SWEEP_LIMIT = 500;

const at = (ms: number): SQL => sql`to_timestamp(${ms} / 1000.0)`;
const releaseBefore = (nowMs: number) => at(nowMs - RELEASE_AFTER_MINUTES * 60_000);

export type NewPeer = {
  readonly peerId: string;
  readonly publicKeyX: string;
  readonly name: string | undefined;
  /** The user that it becomes, unless it is known. */
  readonly newUserId: string;
  readonly starterMicrocredits: number;
};

/** The user that the peer belongs to; starter credits are granted once. */
export async function registerPeer(db: NeonHttpDatabase, peer: NewPeer): Promise<string> {
  const row = await sqlRow(
    db,
    z.object({ user_id: z.string() }),
    sql`select register_peer(${peer.peerId}, ${peer.publicKeyX}, ${peer.name ?? null},
      ${peer.newUserId}, ${peer.starterMicrocredits}) as user_id`,
  );
  return row.user_id;
}

const Held = z.object({
  outcome: z.enum(["held", "not_registered", "credits_exhausted", "replayed"]),
  user_id: z.string().nullable(),
  budget: Int8,
  available: Int8,
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

/** Holds what the payer has, up to the budget, in one statement that cannot overdraw. */
export function holdCredits(db: NeonHttpDatabase, lease: NewLease, nowMs: number): Promise<Held> {
  return sqlRow(
    db,
    Held,
    sql`select * from hold_credits(${lease.leaseId}, ${lease.peerId}, ${lease.network}, ${lease.model},
      ${lease.budget}, ${at(lease.expiresAtMs)}, ${releaseBefore(nowMs)})`,
  );
}

const Extended = z.object({
  outcome: z.enum(["extended", "lease_not_found"]),
  budget: Int8,
  available: Int8,
});

/** Adds to an open lease; `key` makes it count once. */
export function extendLease(
  db: NeonHttpDatabase,
  lease: { leaseId: string; peerId: string; add: number; expiresAtMs: number; key: string },
): Promise<z.infer<typeof Extended>> {
  return sqlRow(
    db,
    Extended,
    sql`select * from extend_lease(${lease.leaseId}, ${lease.peerId}, ${lease.add},
      ${at(lease.expiresAtMs)}, ${lease.key})`,
  );
}

/** Gives a lease back that no node can have used. */
export async function voidLease(db: NeonHttpDatabase, leaseId: string): Promise<void> {
  await sqlRows(db, z.unknown(), sql`select void_lease(${leaseId})`);
}

/** Gives back what ended leases have left; returns how many. */
export async function releaseEnded(db: NeonHttpDatabase, nowMs: number): Promise<number> {
  const row = await sqlRow(
    db,
    z.object({ released: z.int() }),
    sql`select release_leases(null, ${releaseBefore(nowMs)}, ${SWEEP_LIMIT}) as released`,
  );
  return row.released;
}

export type SettlementItem = {
  /** Place in the batch. */
  readonly item: number;
  readonly receipt: ReceiptClaims;
  /** Microcredits claimed. */
  readonly claim: number;
};

const Settled = z.object({
  item: z.int(),
  status: z.enum(["settled", "already_settled", "lease_unknown"]),
  amount: Int8,
});

/** Settles a batch of verified receipts, each once, in one round trip. */
export function settleReceipts(
  db: NeonHttpDatabase,
  items: readonly SettlementItem[],
): Promise<z.infer<typeof Settled>[]> {
  const rows = items.map(({ item, receipt, claim }) => {
    const { iss: node, ...facts } = receipt;
    return { ...facts, item, node, claim };
  });
  return sqlRows(db, Settled, sql`select * from settle_receipts(${JSON.stringify(rows)}::jsonb)`);
}
