import { sql } from "drizzle-orm";
import { check, index, integer, jsonb, pgTable, primaryKey, text, uuid } from "drizzle-orm/pg-core";
import { at } from "./columns";
import { users } from "./people";

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
