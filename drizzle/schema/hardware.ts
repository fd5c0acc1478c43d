import { sql } from "drizzle-orm";
import { bigint, boolean, check, index, integer, pgTable, text } from "drizzle-orm/pg-core";
import { at } from "./columns";
import { peers } from "./people";

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
