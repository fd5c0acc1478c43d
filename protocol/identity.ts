import {
  calculateJwkThumbprint,
  exportJWK,
  generateKeyPair,
  importJWK,
  type CryptoKey,
} from "jose";
import { z } from "zod";

/** 32 bytes in unpadded base64url. */
const Bytes32 = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be 32 bytes in base64url");

/** The same in its one canonical spelling: four spellings of a key would be one key with four peer ids. */
export const KeyBytes = Bytes32.regex(/[AEIMQUYcgkosw048]$/, "must be canonical base64url");

/** RFC 7638 SHA-256 thumbprint of a peer's Ed25519 key: the peer's id, and a node's. */
export const PeerId = Bytes32;
export type PeerId = z.infer<typeof PeerId>;

/** An Ed25519 public key (RFC 8037), with nothing in it but the key. */
export const PublicKey = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: KeyBytes,
});
export type PublicKey = z.infer<typeof PublicKey>;

/** An Ed25519 key pair as it lies in `identity.json` (mode 0600). */
export const PrivateKey = PublicKey.extend({ d: KeyBytes });
export type PrivateKey = z.infer<typeof PrivateKey>;

/** Ed25519 over bytes; 64 bytes. */
export type Sign = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array | Promise<Uint8Array>;

/** A peer that can sign: its id, its public key and a handle on its private key. */
export type Identity = {
  readonly peerId: PeerId;
  readonly publicKey: PublicKey;
  readonly signingKey: CryptoKey;
  readonly sign: Sign;
};

export async function generatePrivateKey(): Promise<PrivateKey> {
  const pair = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
  return PrivateKey.parse(await exportJWK(pair.privateKey));
}

/**
 * Throws where `d` does not belong to `x`: such an identity would sign what nobody can verify. `sign`: another way to
 * sign with the same key than WebCrypto's, where there is a quicker one.
 */
export async function openIdentity(privateKey: PrivateKey, sign?: Sign): Promise<Identity> {
  const publicKey = PublicKey.parse(privateKey);
  const signingKey = await importJWK(privateKey, "EdDSA");
  const identity = {
    peerId: await peerIdOf(publicKey),
    publicKey,
    signingKey,
    sign: sign ?? webCryptoSign(signingKey),
  };
  const probe = new Uint8Array([1]);
  const signature = new Uint8Array(await identity.sign(probe));
  const verifyingKey = await importPublicKey(publicKey);
  if (!(await crypto.subtle.verify("Ed25519", verifyingKey, signature, probe))) {
    throw new Error("The private key does not belong to the public key.");
  }
  return identity;
}

function webCryptoSign(key: CryptoKey): Sign {
  return async (bytes) => new Uint8Array(await crypto.subtle.sign("Ed25519", key, bytes));
}

export async function peerIdOf(publicKey: PublicKey): Promise<PeerId> {
  return calculateJwkThumbprint(publicKey, "sha256");
}

/** A public key, ready to verify with, and whose it is. */
export type OpenPublicKey = { readonly key: CryptoKey; readonly peerId: PeerId };

export async function openPublicKey(publicKey: PublicKey): Promise<OpenPublicKey> {
  const [key, peerId] = await Promise.all([importPublicKey(publicKey), peerIdOf(publicKey)]);
  return { key, peerId };
}

export async function importPublicKey(publicKey: PublicKey): Promise<CryptoKey> {
  return importJWK({ ...publicKey }, "EdDSA");
}
