import { z } from "zod";
import {
  type Identity,
  importPublicKey,
  KeyBytes,
  type PeerId,
  peerIdOf,
  PublicKey,
} from "./identity";
import { type JwsRefusal, readHeader, signPeerJws, verifyJws } from "./jws";
import type { Outcome } from "./outcome";

const E2E_KEY_TYP = "troop-e2e-key+jwt";
/** Seconds from `iat` to `exp`; longer ones are refused. */
export const E2E_KEY_LIFETIME_S = 30 * 24 * 60 * 60;

/** A node's key for end-to-end encryption, certified by the node, as it travels; nobody on its way reads it. */
export const E2eKeyToken = z.string().min(1).max(1_024);

/** Strict, like a proof's: a header that shows a private key is refused. */
const E2eKeyHeader = z.object({ jwk: PublicKey.strict() });

export const E2eKeyClaims = z.object({
  /** The node's id. */
  iss: z.string(),
  /** Its X25519 public key (RFC 7748). */
  x: KeyBytes,
  iat: z.int(),
  exp: z.int(),
});
export type E2eKeyClaims = z.infer<typeof E2eKeyClaims>;

export type E2eKeyRefusal =
  | JwsRefusal
  | { readonly reason: "wrong_key" }
  | { readonly reason: "lives_too_long" };

/** Certifies a node's X25519 key by its identity. */
export function signE2eKey(identity: Identity, x: string, nowMs: number): Promise<string> {
  const iat = Math.floor(nowMs / 1_000);
  const claims = { iss: identity.peerId, x, iat, exp: iat + E2E_KEY_LIFETIME_S };
  return signPeerJws(E2E_KEY_TYP, claims, identity.sign, { jwk: identity.publicKey });
}

/** The key that a node itself certified. Whoever passed it on could not put another in its place. */
export async function verifyE2eKey(
  token: string,
  nodeId: PeerId,
  nowMs: number,
): Promise<Outcome<E2eKeyClaims, E2eKeyRefusal>> {
  const header = readHeader(token, E2eKeyHeader);
  if (header === undefined) return { ok: false, reason: "malformed" };
  if ((await peerIdOf(header.jwk)) !== nodeId) return { ok: false, reason: "wrong_key" };
  const verified = await verifyJws(token, await importPublicKey(header.jwk), E2eKeyClaims, {
    typ: E2E_KEY_TYP,
    issuer: nodeId,
    nowMs,
  });
  if (!verified.ok) return verified;
  const { iat, exp } = verified.value;
  return exp - iat > E2E_KEY_LIFETIME_S ? { ok: false, reason: "lives_too_long" } : verified;
}
