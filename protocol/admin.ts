import { z } from "zod";
import { PeerId } from "./identity";
import { Credits, Microcredits } from "./microcredits";
import { UserId } from "./names";
import { PLAIN_TEXT, PLAIN_TEXT_RULE } from "./plain-text";

/** Why an operator did something; a suspended node's person reads it. */
export const Reason = z.string().min(1).max(256).regex(PLAIN_TEXT, PLAIN_TEXT_RULE);

const NextCursor = z.string().optional();

export const AdminUser = z.object({
  user_id: UserId,
  created_at: z.iso.datetime(),
  /** Peers that belong to it, signed-out ones aside. */
  peers: z.int(),
  available: Credits,
  held: Credits,
  in_escrow: Credits,
});
export type AdminUser = z.infer<typeof AdminUser>;

export const AdminUserPage = z.object({ users: z.array(AdminUser), next_cursor: NextCursor });
export type AdminUserPage = z.infer<typeof AdminUserPage>;

export const AdminNode = z.object({
  node_id: PeerId,
  user_id: UserId,
  created_at: z.iso.datetime(),
  /** Whether it is offered to clients: it has sent heartbeats lately, and is not suspended. */
  live: z.boolean(),
  suspended: z.object({ since: z.iso.datetime(), reason: z.string() }).optional(),
});
export type AdminNode = z.infer<typeof AdminNode>;

export const AdminNodePage = z.object({ nodes: z.array(AdminNode), next_cursor: NextCursor });
export type AdminNodePage = z.infer<typeof AdminNodePage>;

export const SuspensionRequest = z.object({ reason: Reason });
export type SuspensionRequest = z.infer<typeof SuspensionRequest>;

export const GrantRequest = z.object({
  /** The same key never grants twice. */
  key: z.string().regex(/^[A-Za-z0-9_-]{8,64}$/, "must be 8 to 64 letters, digits, - or _"),
  user_id: UserId,
  microcredits: Microcredits.positive(),
  reason: Reason,
});
export type GrantRequest = z.infer<typeof GrantRequest>;

export const GrantAnswer = z.object({ status: z.enum(["granted", "already_granted"]) });
export type GrantAnswer = z.infer<typeof GrantAnswer>;

export const Grant = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  key: z.string(),
  user_id: UserId,
  credits: Credits,
  microcredits: Microcredits,
});
export type Grant = z.infer<typeof Grant>;

export const GrantPage = z.object({ grants: z.array(Grant), next_cursor: NextCursor });
export type GrantPage = z.infer<typeof GrantPage>;

/** A code by which people may join where not everybody may. */
export const SignupInviteRequest = z.object({
  uses: z.int().positive().max(1_000).default(1),
  hours: z
    .int()
    .positive()
    .max(24 * 90)
    .default(24 * 7),
});
export type SignupInviteRequest = z.infer<typeof SignupInviteRequest>;

export const SignupInvite = z.object({
  code: z.string(),
  uses: z.int().positive(),
  expires_at: z.iso.datetime(),
});
export type SignupInvite = z.infer<typeof SignupInvite>;

export const KEYS_ROTATE_PATH = "/admin/keys/rotate";
/** Longer than a node waits between two looks at the coordinator's keys. */
export const KEY_LEAD_S = 90;

export const RotationRequest = z.object({
  /** Seconds for which the new key is shown before it signs. */
  lead_seconds: z.int().nonnegative().max(86_400).default(KEY_LEAD_S),
});
export type RotationRequest = z.infer<typeof RotationRequest>;

export const Rotation = z.object({
  /** The new key's id. */
  kid: z.string(),
  signs_from: z.iso.datetime(),
});
export type Rotation = z.infer<typeof Rotation>;
