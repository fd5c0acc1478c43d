import { importPublicKey, openIdentity, PublicKey } from "#protocol/identity";
import type { CoordinatorKey, Jwks } from "#protocol/register";
import { exportSPKI, type CryptoKey } from "jose";
import type { SigningKey } from "./config";

/** The coordinator's keys, ready for use; the first of the configured ones signs. */
export type Keys = {
  readonly kid: string;
  readonly signingKey: CryptoKey;
  readonly jwks: Jwks;
  /** The signing key's public half as PEM (SPKI). */
  readonly pem: string;
  /** The verifying key that a JWS header's `kid` names. */
  readonly byKid: (kid: string) => CryptoKey | undefined;
};

export async function openKeys(keys: readonly [SigningKey, ...SigningKey[]]): Promise<Keys> {
  const active = await openIdentity(keys[0]);
  const verifying = new Map<string, CryptoKey>();
  for (const key of keys) verifying.set(key.kid, await importPublicKey(PublicKey.parse(key)));
  return {
    kid: keys[0].kid,
    signingKey: active.signingKey,
    jwks: { keys: keys.map(publicPart) },
    pem: await exportSPKI(await importPublicKey(active.publicKey)),
    byKid: (kid) => verifying.get(kid),
  };
}

function publicPart(key: SigningKey): CoordinatorKey {
  return { ...PublicKey.parse(key), kid: key.kid, alg: "EdDSA", use: "sig" };
}
