import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import { type RecordPlace, recordHeader, recordNonce, TAG_BYTES } from "#protocol/sealed-record";
import type { Bytes } from "../http/answer-parser";

/** In place: WebCrypto would go to another thread for each record, which costs fifty times what the record does. */
const CIPHER = "aes-256-gcm";

/** One direction of a session. */
export type Direction = "request" | "answer";

export type DirectionKey = { readonly key: KeyObject; readonly about: Buffer };

export function directionKey(direction: Direction, key: Uint8Array): DirectionKey {
  return { key: createSecretKey(key), about: Buffer.from(direction) };
}

/** A record as it travels, in the parts that it is made of. */
export function sealRecord(
  { key, about }: DirectionKey,
  seq: number,
  record: number,
  plain: Uint8Array,
  isLast: boolean,
): readonly [header: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array] {
  const cipher = createCipheriv(CIPHER, key, nonceOf(seq, record, isLast ? "last" : "more"));
  cipher.setAAD(about);
  const ciphertext = cipher.update(plain);
  cipher.final();
  return [recordHeader(plain.length, isLast), ciphertext, cipher.getAuthTag()];
}

/** `undefined`: it was not sealed so, at this place. `sealed`: ciphertext and tag. */
export function openRecord(
  direction: DirectionKey,
  seq: number,
  record: number,
  sealed: Uint8Array,
  isLast: boolean,
): Bytes | undefined {
  const end = sealed.length - TAG_BYTES;
  for (let at = 0; at < TAG_BYTES; at += 1) TAG[at] = sealed[end + at] ?? 0;
  const nonce = nonceOf(seq, record, isLast ? "last" : "more");
  return open(direction, nonce, sealed.subarray(0, end), TAG);
}

/** One for all, as the nonce is: a view of what came costs as much as a tenth of opening it. */
const TAG = new Uint8Array(TAG_BYTES);

/** One for all: a cipher takes a copy of it when it is made, and nothing is waited for until then. */
const NONCE = new Uint8Array(12);

function nonceOf(seq: number, record: number, place: RecordPlace): Uint8Array {
  return recordNonce(seq, record, place, NONCE);
}

const CALL: RecordPlace = "call";
const NOTHING = new Uint8Array();

/** What only who has the session's key can show of a request: base64url. */
export function callTag({ key, about }: DirectionKey, seq: number): string {
  const cipher = createCipheriv(CIPHER, key, nonceOf(seq, 0, CALL));
  cipher.setAAD(about);
  cipher.final();
  return cipher.getAuthTag().toString("base64url");
}

export function isCallTag(direction: DirectionKey, seq: number, tag: string): boolean {
  const bytes = Buffer.from(tag, "base64url");
  if (bytes.length !== TAG_BYTES) return false;
  return open(direction, nonceOf(seq, 0, CALL), NOTHING, bytes) !== undefined;
}

/** A shorter tag is easier to guess. */
const WHOLE_TAG = { authTagLength: TAG_BYTES };

function open(
  { key, about }: DirectionKey,
  nonce: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
): Bytes | undefined {
  const decipher = createDecipheriv(CIPHER, key, nonce, WHOLE_TAG);
  decipher.setAAD(about);
  decipher.setAuthTag(tag);
  const plain = decipher.update(ciphertext);
  try {
    decipher.final();
    return plain;
  } catch {
    return undefined; // The tag does not fit.
  }
}
