import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";

const at = (name: string) => timestamp(name, { withTimezone: true, mode: "date" });

/** Who owns peers and a balance. */
export const users = pgTable(
  "users",
  {
    id: text("id").primaryKey(),
    createdAt: at("created_at").notNull().defaultNow(),
    /** Whose user it became part of: what is released to it goes there. That one is never part of another. */
    mergedInto: text("merged_into").references((): AnyPgColumn => users.id),
    /** It got its starter credits, or those of a user that became part of it. */
    hasStarter: boolean("has_starter").notNull().default(false),
    /** Microcredits of a starter grant that go back to the mint when open leases give them back. */
    starterDebt: bigint("starter_debt", { mode: "bigint" })
      .notNull()
      .default(sql`0`),
    /** When its person left. */
    closedAt: at("closed_at"),
  },
  (t) => [
    index("users_merged_into")
      .on(t.mergedInto)
      .where(sql`merged_into is not null`),
    check("users_starter_debt", sql`${t.starterDebt} >= 0`),
  ],
);

/** How a person proves to be a user: by email and password. A user that only peers speak for has none. */
export const logins = pgTable("logins", {
  userId: text("user_id")
    .primaryKey()
    .references(() => users.id),
  /** Trimmed, in lower case. */
  email: text("email").notNull().unique(),
  /** Hash, with its salt and its parameters. */
  password: text("password").notNull(),
  createdAt: at("created_at").notNull().defaultNow(),
});

/** A person who is logged in, in one browser or program. */
export const sessions = pgTable(
  "sessions",
  {
    /** SHA-256 of the token, base64url: who reads this table can't log in with it. */
    tokenHash: text("token_hash").primaryKey(),
    userId: text("user_id")
      .notNull()
      .references(() => logins.userId, { onDelete: "cascade" }),
    createdAt: at("created_at").notNull().defaultNow(),
    /** To the hour. */
    lastUsedAt: at("last_used_at").notNull().defaultNow(),
    expiresAt: at("expires_at").notNull(),
  },
  (t) => [index("sessions_user_id").on(t.userId), index("sessions_expires_at").on(t.expiresAt)],
);

/** Codes by which operators let people in where not everybody may join. */
export const signupInvites = pgTable(
  "signup_invites",
  {
    /** SHA-256 of the code, base64url; the code itself is nowhere. */
    codeHash: text("code_hash").primaryKey(),
    usesLeft: integer("uses_left").notNull(),
    createdAt: at("created_at").notNull().defaultNow(),
    expiresAt: at("expires_at").notNull(),
  },
  (t) => [check("signup_invites_uses", sql`${t.usesLeft} >= 0`)],
);

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
    /** When it registered or took a ticket; to the hour. */
    lastUsedAt: at("last_used_at").notNull().defaultNow(),
    /** When it was signed out; its user is then one of its own, part of the one it was signed out of. */
    revokedAt: at("revoked_at"),
    /** Since when an operator keeps it from serving, and why. */
    suspendedAt: at("suspended_at"),
    suspendedReason: text("suspended_reason"),
  },
  (t) => [
    index("peers_user_id").on(t.userId),
    index("peers_suspended")
      .on(t.id)
      .where(sql`${t.suspendedAt} is not null`),
    check("peers_suspended_why", sql`(${t.suspendedAt} is null) = (${t.suspendedReason} is null)`),
  ],
);

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

/** A request under a lease, sent to one node: what receipts and acks are about. */
const request = {
  leaseId: uuid("lease_id")
    .notNull()
    .references(() => leases.id),
  seq: integer("seq").notNull(),
  nodeId: text("node_id")
    .notNull()
    .references(() => peers.id),
};

/** What a node said of one request that it served; each counts once. Append-only. */
export const receipts = pgTable(
  "receipts",
  {
    ...request,
    /** Whose node it was then: who is paid. */
    ownerId: text("owner_id")
      .notNull()
      .references(() => users.id),
    network: text("network").notNull(),
    model: text("model").notNull(),
    /** Microcredits a second, from the ticket. */
    rate: bigint("rate", { mode: "bigint" }).notNull(),
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
    /** Microcredits that went into escrow for it. */
    amount: bigint("amount", { mode: "bigint" }).notNull(),
    settledAt: at("settled_at").notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.leaseId, t.seq, t.nodeId] }),
    index("receipts_of_owner").on(t.ownerId, t.settledAt),
    // What fair prices are learned from.
    index("receipts_priced")
      .on(t.network, t.model, t.settledAt)
      .where(sql`outcome = 'completed' and amount > 0`),
  ],
);

/** Receipts whose credits are not released yet: a row comes with the settlement and goes with the release. */
export const escrows = pgTable(
  "escrows",
  {
    leaseId: uuid("lease_id").notNull(),
    seq: integer("seq").notNull(),
    nodeId: text("node_id").notNull(),
    ownerId: text("owner_id").notNull(),
    /** Microcredits; 0 for a user's own requests, which wait for their ack like all. */
    amount: bigint("amount", { mode: "bigint" }).notNull(),
    since: at("since").notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.leaseId, t.seq, t.nodeId] }),
    foreignKey({
      name: "escrows_receipt",
      columns: [t.leaseId, t.seq, t.nodeId],
      foreignColumns: [receipts.leaseId, receipts.seq, receipts.nodeId],
    }),
    index("escrows_of_owner").on(t.ownerId, t.since),
  ],
);

/** What a client said of one request that it sent; the first counts. Append-only, but for those whose receipt never came. */
export const acks = pgTable(
  "acks",
  {
    ...request,
    /** The client. */
    peerId: text("peer_id")
      .notNull()
      .references(() => peers.id),
    wallMs: integer("wall_ms").notNull(),
    ttftMs: integer("ttft_ms"),
    promptTokens: integer("prompt_tokens"),
    completionTokens: integer("completion_tokens"),
    outcome: text("outcome").notNull(),
    requestHash: text("request_hash").notNull(),
    responseHash: text("response_hash"),
    ackedAt: at("acked_at").notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.leaseId, t.seq, t.nodeId] }),
    // For the sweep; rows come in this order, so a block range says it all.
    index("acks_by_time").using("brin", t.ackedAt),
  ],
);

/** A receipt and an ack that contradict each other; both rows stay as they are. Append-only. */
export const disputes = pgTable(
  "disputes",
  {
    leaseId: uuid("lease_id").notNull(),
    seq: integer("seq").notNull(),
    nodeId: text("node_id").notNull(),
    /** What differs: time, tokens, request, response. */
    reasons: text("reasons").array().notNull(),
    /** Microcredits that the receipt was worth, and what the node's owner got; the payer got the rest back. */
    escrowed: bigint("escrowed", { mode: "bigint" }).notNull(),
    settled: bigint("settled", { mode: "bigint" }).notNull(),
    disputedAt: at("disputed_at").notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.leaseId, t.seq, t.nodeId] }),
    foreignKey({
      name: "disputes_receipt",
      columns: [t.leaseId, t.seq, t.nodeId],
      foreignColumns: [receipts.leaseId, receipts.seq, receipts.nodeId],
    }),
    foreignKey({
      name: "disputes_ack",
      columns: [t.leaseId, t.seq, t.nodeId],
      foreignColumns: [acks.leaseId, acks.seq, acks.nodeId],
    }),
    check("disputes_smaller", sql`${t.settled} >= 0 and ${t.settled} <= ${t.escrowed}`),
  ],
);

/** What a model usually costs, learned from receipts. */
export const modelRates = pgTable(
  "model_rates",
  {
    network: text("network").notNull(),
    model: text("model").notNull(),
    /** Microcredits for 1,000 completion tokens. */
    rate: bigint("rate", { mode: "bigint" }).notNull(),
    samples: integer("samples").notNull(),
    updatedAt: at("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.network, t.model] })],
);

/** A private network: peers of its members serve and use each other, and nobody else learns that it is there. */
export const networks = pgTable("networks", {
  id: text("id").primaryKey(),
  /** What its members call it; others may call another one the same. */
  slug: text("slug").notNull(),
  policy: jsonb("policy").notNull(),
  createdBy: text("created_by")
    .notNull()
    .references(() => users.id),
  createdAt: at("created_at").notNull().defaultNow(),
});

const networkRole = (name: string) =>
  text(name, { enum: ["owner", "member", "serve-only", "use-only"] }).notNull();

/** Who belongs to a private network. */
export const memberships = pgTable(
  "memberships",
  {
    networkId: text("network_id")
      .notNull()
      .references(() => networks.id, { onDelete: "cascade" }),
    userId: text("user_id")
      .notNull()
      .references(() => users.id),
    role: networkRole("role"),
    joinedAt: at("joined_at").notNull().defaultNow(),
  },
  (t) => [
    primaryKey({ columns: [t.networkId, t.userId] }),
    index("memberships_of_user").on(t.userId),
  ],
);

/** A code that makes whoever shows it a member. */
export const invites = pgTable(
  "invites",
  {
    id: uuid("id").primaryKey(),
    networkId: text("network_id")
      .notNull()
      .references(() => networks.id, { onDelete: "cascade" }),
    /** SHA-256 of the code, base64url; the code itself is nowhere. */
    codeHash: text("code_hash").notNull().unique(),
    role: networkRole("role"),
    usesLeft: integer("uses_left").notNull(),
    expiresAt: at("expires_at").notNull(),
    createdAt: at("created_at").notNull().defaultNow(),
  },
  (t) => [
    index("invites_of_network").on(t.networkId),
    check("invites_uses", sql`${t.usesLeft} >= 0`),
  ],
);

/** A run of a proof of hardware that came to its end. */
export const benchmarks = pgTable(
  "benchmarks",
  {
    id: bigint("id", { mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
    nodeId: text("node_id")
      .notNull()
      .references(() => peers.id),
    at: at("at").notNull(),
    /** Of the computation and of the constants behind the rate. */
    version: integer("version").notNull(),
    /** Taken at the moment at which everybody was asked. */
    inRound: boolean("in_round").notNull(),
    /** Operations and bytes a second. */
    computeOps: bigint("compute_ops", { mode: "bigint" }).notNull(),
    memoryBytes: bigint("memory_bytes", { mode: "bigint" }).notNull(),
    /** Microcredits a second; 0 where it failed. */
    rate: bigint("rate", { mode: "bigint" }).notNull(),
    /** Why it failed; null where it passed. */
    failure: text("failure"),
  },
  (t) => [
    index("benchmarks_of_node").on(t.nodeId, t.at),
    check("benchmarks_failed", sql`(${t.failure} is null) = (${t.rate} > 0)`),
  ],
);

/** What each night's audit of the ledger found. */
export const ledgerChecks = pgTable("ledger_checks", {
  id: bigint("id", { mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
  checkedAt: at("checked_at").notNull().defaultNow(),
  offenders: integer("offenders").notNull(),
  report: jsonb("report").notNull(),
});

/** What operators look up later: who registered, logged in, was refused, was suspended. No secret, no prompt. */
export const auditEvents = pgTable(
  "audit_events",
  {
    id: bigint("id", { mode: "bigint" }).primaryKey().generatedAlwaysAsIdentity(),
    at: at("at").notNull(),
    type: text("type").notNull(),
    /** Ids as they were: the user and the peer may be gone. */
    userId: text("user_id"),
    peerId: text("peer_id"),
    details: jsonb("details").notNull(),
  },
  (t) => [
    index("audit_events_type").on(t.type, t.id),
    index("audit_events_user").on(t.userId, t.id),
    index("audit_events_peer").on(t.peerId, t.id),
    index("audit_events_details").using("gin", sql`${t.details} jsonb_path_ops`),
    index("audit_events_at").using("brin", t.at),
  ],
);

/** The coordinator's signing keys since the first, which is a setting. */
export const signingKeys = pgTable("signing_keys", {
  kid: text("kid").primaryKey(),
  /** The private key, encrypted and authenticated under a key of the settings. */
  sealed: text("sealed").notNull(),
  signsFrom: at("signs_from").notNull(),
  createdAt: at("created_at").notNull().defaultNow(),
});
