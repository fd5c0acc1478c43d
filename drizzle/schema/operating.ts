import { sql } from "drizzle-orm";
import { bigint, index, integer, jsonb, pgTable, text } from "drizzle-orm/pg-core";
import { at } from "./columns";

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
