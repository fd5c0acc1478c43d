import type { Target } from "./target";
import { type Good, type Json, newKey, nowS } from "./tokens";

/** Whose tickets they are, unless it is another's that is stolen. */
export const client = newKey();

/** A ticket of the real coordinator's key for this node and `client`. */
export function goodTicket(t: Target, claims: Json = {}, header: Json = {}): Good {
  return {
    key: t.signer,
    known: t.signer.publicKey.x,
    header: { alg: "EdDSA", typ: "troop-ticket+jwt", kid: t.signer.kid, ...header },
    claims: {
      iss: t.coordinator,
      sub: `usr_${"0".repeat(26)}`,
      cnf: { jkt: client.peerId },
      aud: [t.nodeId],
      jti: crypto.randomUUID(),
      iat: nowS(),
      nbf: nowS(),
      exp: nowS() + 300,
      net: "public",
      model: "any/model",
      rates: { [t.nodeId]: 1_000_000 },
      budget: 1_000_000,
      ...claims,
    },
  };
}
