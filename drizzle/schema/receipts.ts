import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uuid,
} from "drizzle-orm/pg-core";
import { at } from "./columns";
import { leases } from "./ledger";
import { users, peers } from "./people";

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
