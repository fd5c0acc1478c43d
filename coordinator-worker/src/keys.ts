import { importPublicKey, openIdentity, PublicKey } from "#protocol/identity";
import type { CoordinatorKey, Jwks } from "#protocol/register";
import { exportSPKI, type CryptoKey } from "jose";
import type { SigningKey } from "./config";
import { chooseKeys, type TimedKey } from "./domain/choose-keys";

export type OpenKey = TimedKey & {
  readonly signingKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly shown: CoordinatorKey;
};

/** The coordinator's keys at a moment, ready for use. */
export type Keys = {
  /** Of the key that signs. */
  readonly kid: string;
  readonly signingKey: CryptoKey;
  readonly jwks: Jwks;
};

export async function openKey(key: SigningKey, signsFromMs: number): Promise<OpenKey> {
  const [{ signingKey }, publicKey] = await Promise.all([
    openIdentity(key),
    importPublicKey(PublicKey.parse(key)),
  ]);
  const shown = { ...PublicKey.parse(key), kid: key.kid, alg: "EdDSA", use: "sig" } as const;
  return { kid: key.kid, signsFromMs, signingKey, publicKey, shown };
}

export function keysAt(open: readonly OpenKey[], nowMs: number): Keys {
  const chosen = chooseKeys(open, nowMs);
  if (chosen === undefined) throw new Error("There is no key to sign with.");
  return {
    kid: chosen.signer.kid,
    signingKey: chosen.signer.signingKey,
    jwks: { keys: chosen.published.map((key) => key.shown) },
  };
}

/** A public key as PEM (SPKI). */
export async function pemOf(key: CoordinatorKey): Promise<string> {
  return exportSPKI(await importPublicKey(PublicKey.parse(key)));
}
