import { sql } from "drizzle-orm";
import { bigint, check, index, pgTable, primaryKey, text, unique, uuid } from "drizzle-orm/pg-core";
import { at } from "./columns";
import { users, peers } from "./people";

/**
 * Where money lies. A user has `available`, `held` (by open leases) and `escrow` (earned, not yet released), each with
 * a running balance that cannot go below zero and that only entries change. System accounts (`mint`) keep none: a row
 * that every request updates is a lock queue.
 */
export const accounts = pgTable(
  "accounts",
  {
    id: bigint("id", { mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
    userId: text("user_id").references(() => users.id),
    kind: text("kind", { enum: ["available", "held", "escrow", "mint"] }).notNull(),
    /** Microcredits; null for a system account. */
    balance: bigint("balance", { mode: "bigint" }),
  },
  (t) => [
    unique("accounts_owner_kind").on(t.userId, t.kind).nullsNotDistinct(),
    check("accounts_never_negative", sql`${t.balance} >= 0`),
    check(
      "accounts_balance_iff_user",
      sql`(${t.userId} is null) = (${t.balance} is null) and (${t.kind} = 'mint') = (${t.userId} is null)`,
    ),
  ],
);

/** A movement of money that happened once; its entries sum to zero. Append-only. */
export const transfers = pgTable(
  "transfers",
  {
    id: bigint("id", { mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
    /** The same key never moves money twice. */
    idempotencyKey: text("idempotency_key").notNull().unique(),
    type: text("type", {
      enum: [
        "starter_grant",
        "starter_return",
        "merge",
        "operator_grant",
        "hold",
        "extension",
        "settlement",
        "release",
        "refund",
        "dispute",
      ],
    }).notNull(),
    leaseId: uuid("lease_id").references(() => leases.id),
    createdAt: at("created_at").notNull().defaultNow(),
  },
  (t) => [
    index("transfers_operator_grants")
      .on(t.id)
      .where(sql`${t.type} = 'operator_grant'`),
    index("transfers_lease_id").on(t.leaseId),
  ],
);

/** One account's side of a transfer, in microcredits. Append-only. */
export const entries = pgTable(
  "entries",
  {
    transferId: bigint("transfer_id", { mode: "bigint" })
      .notNull()
      .references(() => transfers.id),
    accountId: bigint("account_id", { mode: "bigint" })
      .notNull()
      .references(() => accounts.id),
    amount: bigint("amount", { mode: "bigint" }).notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.transferId, t.accountId] }),
    index("entries_account_id").on(t.accountId, t.transferId),
  ],
);

/** The hold of credits behind a ticket. */
export const leases = pgTable(
  "leases",
  {
    id: uuid("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    /** The client that may use it. */
    peerId: text("peer_id")
      .notNull()
      .references(() => peers.id),
    network: text("network").notNull(),
    model: text("model").notNull(),
    /** Microcredits held in all, and what of them receipts were paid, less what disputes gave back. */
    budget: bigint("budget", { mode: "bigint" }).notNull(),
    spent: bigint("spent", { mode: "bigint" })
      .notNull()
      .default(sql`0`),
    createdAt: at("created_at").notNull().defaultNow(),
    expiresAt: at("expires_at").notNull(),
    /** When what was left went back to the payer. */
    releasedAt: at("released_at"),
  },
  (t) => [
    index("leases_open")
      .on(t.expiresAt)
      .where(sql`released_at is null`),
    index("leases_open_of_user")
      .on(t.userId, t.expiresAt)
      .where(sql`released_at is null`),
    check("leases_within_budget", sql`${t.spent} >= 0 and ${t.spent} <= ${t.budget}`),
  ],
);
