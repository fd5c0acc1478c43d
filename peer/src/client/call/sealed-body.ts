import { sealedHead } from "#protocol/sealed-message";
import { RECORD_BYTES, sealedLength } from "#protocol/sealed-record";
import type { DirectionKey } from "../../e2e/aead";
import { createMessageSealer, sealMessage } from "../../e2e/message-sealer";
import type { OutgoingBody } from "../../http/call";

/** What an app asks of a node. */
export type SealedRequest = {
  /** Path and query, below `/`. */
  readonly target: string;
  readonly headers: [name: string, value: string][];
  readonly body: Uint8Array<ArrayBuffer>;
  /** SHA-256 of the body, base64url. */
  readonly bodyHash: string;
};

/** Larger ones are sealed while they are sent, so that they are not in memory twice. */
const AT_ONCE_BYTES = 256 * 1_024;
/** A few records with each write. */
const PART_BYTES = 4 * RECORD_BYTES;

/** The same bytes each time: sent again, the request is the same. */
export function sealBody(
  key: DirectionKey,
  seq: number,
  { target, headers, body, bodyHash: hash }: SealedRequest,
): OutgoingBody & { readonly length: number } {
  const head = sealedHead({ target, headers, length: body.length, hash });
  const length = sealedLength(head.length, body.length);
  if (body.length <= AT_ONCE_BYTES) {
    return { kind: "whole", bytes: sealMessage(key, seq, head, body), length };
  }
  const chunks = { [Symbol.asyncIterator]: () => sealedParts(key, seq, head, body) };
  return { kind: "streamed", length, chunks, isRepeatable: true };
}

async function* sealedParts(
  key: DirectionKey,
  seq: number,
  head: Uint8Array,
  body: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const sealer = createMessageSealer(key, seq);
  yield sealer.head(head);
  let at = 0;
  for (; at + PART_BYTES < body.length; at += PART_BYTES) {
    yield sealer.part(body.subarray(at, at + PART_BYTES));
  }
  yield sealer.last(body.subarray(at));
}
