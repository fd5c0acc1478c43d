import { z } from "zod";
import { PeerId } from "./identity";
import { UserId } from "./names";

export const AUDIT_PATH = "/admin/audit";

/** What an operator can look up. Names are API: they never change meaning. */
export const AuditType = z.enum([
  "peer_registered",
  "person_registered",
  "person_deleted",
  "signup_invited",
  "login",
  "login_failed",
  "logout",
  "peer_linked",
  "peer_signed_out",
  "network_created",
  /** `user_id` is whose right changes, `peer_id` who did it. */
  "network_joined",
  "network_left",
  "member_removed",
  "member_role_changed",
  "network_policy_changed",
  "network_invited",
  "network_invite_revoked",
  "authorized",
  /** A receipt that its ack contradicts. */
  "settlement_disputed",
  /** Once for each full window, not for each request that it refused. */
  "rate_limited",
  "proof_refused",
  "operator_refused",
  "node_suspended",
  "node_reinstated",
  "credits_granted",
  "keys_rotated",
  "hardware_passed",
  "hardware_failed",
]);
export type AuditType = z.infer<typeof AuditType>;

/** Ids, codes and counts; never a secret, a token or what somebody wrote in a prompt. */
export const AuditDetails = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
export type AuditDetails = z.infer<typeof AuditDetails>;

export const AuditEvent = z.object({
  id: z.string(),
  at: z.iso.datetime(),
  type: AuditType,
  user_id: UserId.optional(),
  peer_id: PeerId.optional(),
  details: AuditDetails,
});
export type AuditEvent = z.infer<typeof AuditEvent>;

export const AuditPage = z.object({
  events: z.array(AuditEvent),
  /** For the next, older page; absent on the last one. */
  next_cursor: z.string().optional(),
});
export type AuditPage = z.infer<typeof AuditPage>;
