import { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } from "@hpke/core";
import { base64url } from "jose";
import { z } from "zod";
import { KeyBytes, type PeerId } from "./identity";

/** A node's X25519 key pair as it lies on its disk. */
export const E2ePrivateKey = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("X25519"),
  x: KeyBytes,
  d: KeyBytes,
});
export type E2ePrivateKey = z.infer<typeof E2ePrivateKey>;

/** What a session is good for, and nothing else: the keys of another lease or node are others. */
export type SessionScope = { readonly leaseId: string; readonly nodeId: PeerId };

export type SessionKeys = {
  /** AES-256-GCM, for what the client sends. */
  readonly requestKey: Uint8Array<ArrayBuffer>;
  /** Never used as it is: see `saltedAnswerKey`. */
  readonly answerKey: Uint8Array<ArrayBuffer>;
};

/** HPKE (RFC 9180), base mode. Only its exports are used: one exchange serves all requests of a lease to a node. */
const suite = new CipherSuite({
  kem: new DhkemX25519HkdfSha256(),
  kdf: new HkdfSha256(),
  aead: new Aes256Gcm(),
});
const KEY_BYTES = 32;
const utf8 = new TextEncoder();
const REQUEST_KEY = utf8.encode("request key");
const ANSWER_KEY = utf8.encode("answer key");

export async function generateE2eKey(): Promise<E2ePrivateKey> {
  const { privateKey } = await suite.kem.generateKeyPair();
  return E2ePrivateKey.parse(await crypto.subtle.exportKey("jwk", privateKey));
}

/**
 * The client's side: keys that only the owner of the X25519 key `x` can make from `enc`. `undefined`: with `x`, which a node
 * may have chosen so, no secret can be shared.
 */
export async function openSession(
  x: string,
  scope: SessionScope,
): Promise<(SessionKeys & { readonly enc: string }) | undefined> {
  try {
    const recipientPublicKey = await suite.kem.deserializePublicKey(bytesOf(x));
    const context = await suite.createSenderContext({ recipientPublicKey, info: infoOf(scope) });
    return { enc: base64url.encode(new Uint8Array(context.enc)), ...(await keysOf(context)) };
  } catch {
    return undefined; // A point of small order, or none.
  }
}

/** The node's side of sessions under one key. Throws where the private key does not belong to the public one. */
export async function createSessionAcceptor(
  privateKey: E2ePrivateKey,
): Promise<(enc: string, scope: SessionScope) => Promise<SessionKeys | undefined>> {
  const recipientKey = {
    privateKey: await suite.kem.importKey("jwk", { ...privateKey }, false),
    publicKey: await suite.kem.deserializePublicKey(bytesOf(privateKey.x)),
  };
  return async (enc, scope) => {
    try {
      const opened = { recipientKey, enc: bytesOf(enc), info: infoOf(scope) };
      return await keysOf(await suite.createRecipientContext(opened));
    } catch {
      return undefined; // Not a key at all, or one with which no secret can be shared.
    }
  };
}

/**
 * The key of a node's answers. The salt is the node's own, made anew whenever it takes a session up: one that was started
 * again, and has forgotten which requests it served, must not seal another answer under the same key and nonce.
 */
export async function saltedAnswerKey(
  answerKey: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", answerKey, hmac, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, salt));
}

async function keysOf(context: {
  export(about: ArrayBuffer | Uint8Array, bytes: number): Promise<ArrayBuffer>;
}): Promise<SessionKeys> {
  return {
    requestKey: new Uint8Array(await context.export(REQUEST_KEY, KEY_BYTES)),
    answerKey: new Uint8Array(await context.export(ANSWER_KEY, KEY_BYTES)),
  };
}

/** Each part behind its length, so that no two scopes come to the same bytes. */
function infoOf({ leaseId, nodeId }: SessionScope): Uint8Array<ArrayBuffer> {
  const parts = ["troop e2e v1", leaseId, nodeId].map((part) => utf8.encode(part));
  return new Uint8Array(parts.flatMap((part) => [part.length >> 8, part.length & 0xff, ...part]));
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(base64url.decode(text));
}
