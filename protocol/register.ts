import { z } from "zod";
import { PeerId } from "./identity";
import { Rate } from "./microcredits";
import { NetworkId, UserId } from "./names";
import { Membership } from "./network";
import { PLAIN_TEXT, PLAIN_TEXT_RULE } from "./plain-text";

/** Enrols the peer whose key signed the proof; sent again, it changes nothing and renews the enrolment. */
export const RegisterRequest = z.object({
  /** A label for people, shown to the owner only. */
  name: z.string().min(1).max(64).regex(PLAIN_TEXT, PLAIN_TEXT_RULE).optional(),
});
export type RegisterRequest = z.infer<typeof RegisterRequest>;

/** One of the coordinator's public keys, as in its JWKS. */
export const CoordinatorKey = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string().length(43),
  kid: z.string().min(1).max(128),
  alg: z.literal("EdDSA"),
  use: z.literal("sig"),
});
export type CoordinatorKey = z.infer<typeof CoordinatorKey>;

export const Jwks = z.object({ keys: z.array(CoordinatorKey).min(1).max(16) });
export type Jwks = z.infer<typeof Jwks>;

export const Registration = z.object({
  peer_id: PeerId,
  user_id: UserId,
  /** In which this peer may serve. */
  networks: z.array(NetworkId).min(1),
  /** The private networks that its user belongs to. */
  memberships: z.array(Membership).default([]),
  /** `iss` of the coordinator's tickets. */
  issuer: z.string().min(1),
  jwks: Jwks,
  /** JWS that a node shows with each heartbeat; renewed by registering again before `enrolment_expires_at`. */
  enrolment: z.string().min(1),
  /** Unix seconds. */
  enrolment_expires_at: z.int(),
  /** Microcredits a second that this peer earns as a node whose hardware is not proven. */
  rate: Rate,
  /** Address ranges (CIDR) that a client may dial. */
  allowed_ranges: z.array(z.string()).min(1),
});
export type Registration = z.infer<typeof Registration>;
