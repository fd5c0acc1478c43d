import { sql } from "drizzle-orm";
import {
  type AnyPgColumn,
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  text,
} from "drizzle-orm/pg-core";
import { at } from "./columns";

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
    /** The same, but it stays when it is linked again: codes that it asked for before are good for nothing. */
    signedOutAt: at("signed_out_at"),
    /** Since when an operator keeps it from serving, and why. */
    suspendedAt: at("suspended_at"),
    suspendedReason: text("suspended_reason"),
  },
  (t) => [
    index("peers_user_id").on(t.userId),
    index("peers_suspended")
      .on(t.id)
      .where(sql`${t.suspendedAt} is not null`),
    index("peers_revoked")
      .on(t.revokedAt)
      .where(sql`${t.revokedAt} is not null`),
    check("peers_suspended_why", sql`(${t.suspendedAt} is null) = (${t.suspendedReason} is null)`),
  ],
);
