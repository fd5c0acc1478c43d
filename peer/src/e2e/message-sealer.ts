import { RECORD_BYTES } from "#protocol/sealed-record";
import { type DirectionKey, sealRecord } from "./aead";

/** Seals one message, head first. Its bytes are to be sent in the order in which they were asked for. */
export type MessageSealer = {
  head(head: Uint8Array): Buffer<ArrayBuffer>;
  /** Part of the body. */
  part(bytes: Uint8Array): Buffer<ArrayBuffer>;
  /** The body's end, with what is left of it. */
  last(bytes?: Uint8Array): Buffer<ArrayBuffer>;
};

/** Throws where a head does not fit into a record. */
export function createMessageSealer(key: DirectionKey, seq: number): MessageSealer {
  const at: Place = { key, seq, record: 0 };

  return {
    head: (head) => Buffer.concat(sealHead(at, head)),
    part: (bytes) => Buffer.concat(seal([], at, bytes, false)),
    last: (bytes = NOTHING) => Buffer.concat(seal([], at, bytes, true)),
  };
}

/** Head and body at once. Throws where the head does not fit into a record. */
export function sealMessage(
  key: DirectionKey,
  seq: number,
  head: Uint8Array,
  body: Uint8Array,
): Buffer<ArrayBuffer> {
  const at: Place = { key, seq, record: 0 };
  return Buffer.concat(seal(sealHead(at, head), at, body, true));
}

/** Where the next record will stand. */
type Place = { readonly key: DirectionKey; readonly seq: number; record: number };

function sealHead(at: Place, head: Uint8Array): Uint8Array[] {
  if (head.length > RECORD_BYTES) throw new Error("A request's or an answer's head is too long.");
  return seal([], at, head, false);
}

/** Adds the records that hold these bytes. */
function seal(sealed: Uint8Array[], at: Place, bytes: Uint8Array, isEnd: boolean): Uint8Array[] {
  let from = 0;
  do {
    const end = Math.min(from + RECORD_BYTES, bytes.length);
    // Most fit into one: a view of all of it would cost as much as the half of sealing it.
    const plain = end - from === bytes.length ? bytes : bytes.subarray(from, end);
    from = end;
    if (plain.length > 0 || isEnd) {
      const isLast = isEnd && from === bytes.length;
      const parts = sealRecord(at.key, at.seq, at.record, plain, isLast);
      sealed.push(parts[0], parts[1], parts[2]);
      at.record += 1;
    }
  } while (from < bytes.length);
  return sealed;
}

const NOTHING = new Uint8Array();
