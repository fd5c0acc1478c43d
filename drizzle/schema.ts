import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";

const at = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** Who owns peers and a balance. */
export const users = pgTable("users", {
  id: text("id").primaryKey(),
  createdAt: at("created_at").notNull().defaultNow(),
});

/** One installation of troop; its id is the thumbprint of its key. */
export const peers = pgTable(
  "peers",
  {
    id: text("id").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    /** Ed25519 public key, base64url, 32 bytes. */
    publicKeyX: text("public_key_x").notNull(),
    /** A label for its owner. */
    name: text("name"),
    createdAt: at("created_at").notNull().defaultNow(),
  },
  (t) => [index("peers_user_id").on(t.userId)],
);

/**
 * Where money lies. A user has `available` and `held`, with a running balance that cannot go below zero.
 * System accounts (`mint`) keep none: a row that every request updates is a lock queue.
 */
export const accounts = pgTable(
  "accounts",
  {
    id: bigint("id", { mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
    userId: text("user_id").references(() => users.id),
    kind: text("kind", { enum: ["available", "held", "mint"] }).notNull(),
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
      enum: ["starter_grant", "hold", "extension", "settlement", "release"],
    }).notNull(),
    leaseId: uuid("lease_id").references(() => leases.id),
    createdAt: at("created_at").notNull().defaultNow(),
  },
  (t) => [index("transfers_lease_id").on(t.leaseId)],
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
    /** Microcredits held in all, and what of them was paid out. */
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

/** What a node said of one request that it served; each counts once. */
export const receipts = pgTable(
  "receipts",
  {
    leaseId: uuid("lease_id")
      .notNull()
      .references(() => leases.id),
    seq: integer("seq").notNull(),
    nodeId: text("node_id")
      .notNull()
      .references(() => peers.id),
    engine: text("engine").notNull(),
    startedAt: at("started_at").notNull(),
    queueMs: integer("queue_ms").notNull(),
    ttftMs: integer("ttft_ms"),
    engineMs: integer("engine_ms").notNull(),
    promptTokens: integer("prompt_tokens"),
    completionTokens: integer("completion_tokens"),
    outcome: text("outcome").notNull(),
    requestHash: text("request_hash").notNull(),
    responseHash: text("response_hash"),
    /** Microcredits that it was paid. */
    amount: bigint("amount", { mode: "bigint" }).notNull(),
    settledAt: at("settled_at").notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.leaseId, t.seq, t.nodeId] }),
    index("receipts_node_id").on(t.nodeId, t.settledAt),
  ],
);
