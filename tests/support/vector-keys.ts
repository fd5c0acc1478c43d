import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

/** An Ed25519 key pair as a JWK, and the id that its thumbprint gives; made without protocol/ and without jose. */
export type VectorKey = {
  readonly privateKey: PrivateJwk;
  readonly publicKey: PublicJwk;
  readonly peerId: string;
};
export type PublicJwk = { readonly kty: "OKP"; readonly crv: "Ed25519"; readonly x: string };
export type PrivateJwk = PublicJwk & { readonly d: string };

/** The start of an Ed25519 private key in PKCS #8 (RFC 8410); the 32 bytes of the seed follow. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b657004220420", "hex");

/** The key of RFC 8037, appendix A. */
export const RFC8037_SEED = Buffer.from("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "base64url");

export const CLIENT = keyNamed("client");
export const NODE = keyNamed("node");
export const OTHER_NODE = keyNamed("other node");
export const COORDINATOR = keyNamed("coordinator");
export const STRANGER = keyNamed("stranger");

export function keyFromSeed(seed: Buffer): VectorKey {
  const pkcs8 = Buffer.concat([PKCS8_PREFIX, seed]);
  const handle = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const spki = createPublicKey(handle).export({ format: "der", type: "spki" });
  const publicKey = { kty: "OKP", crv: "Ed25519", x: base64url(spki.subarray(-32)) } as const;
  return {
    privateKey: { ...publicKey, d: base64url(seed) },
    publicKey,
    peerId: sha256(`{"crv":"Ed25519","kty":"OKP","x":"${publicKey.x}"}`), // RFC 7638: sorted, no spaces
  };
}

export function sha256(data: string | Buffer): string {
  return createHash("sha256").update(data).digest("base64url");
}

export function base64url(data: string | Uint8Array): string {
  return Buffer.from(data).toString("base64url");
}

function keyNamed(name: string): VectorKey {
  return keyFromSeed(createHash("sha256").update(`troop golden vectors: ${name}`).digest());
}
