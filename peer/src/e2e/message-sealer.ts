import { RECORD_BYTES } from "#protocol/sealed-record";
import { type DirectionKey, sealRecord } from "./aead";

/** Seals one message, head first. Its bytes are to be sent in the order in which they were asked for. */
export type MessageSealer = {
  head(head: Uint8Array): Buffer<ArrayBuffer>;
  /** Part of the body. */
  part(bytes: Uint8Array): Buffer<ArrayBuffer>;
  /** The body's end, with what is left of it. */
  last(bytes?: Uint8Array): Buffer<ArrayBuffer>;
  /** Head and body at once. */
  whole(head: Uint8Array, body: Uint8Array): Buffer<ArrayBuffer>;
};

/** Throws where a head does not fit into a record. */
export function createMessageSealer(key: DirectionKey, seq: number): MessageSealer {
  let record = 0;

  /** Adds the records that hold these bytes. */
  function seal(sealed: Uint8Array[], bytes: Uint8Array, isEnd: boolean): void {
    let at = 0;
    do {
      const end = Math.min(at + RECORD_BYTES, bytes.length);
      // Most fit into one: a view of all of it would cost as much as the half of sealing it.
      const plain = end - at === bytes.length ? bytes : bytes.subarray(at, end);
      at = end;
      if (plain.length > 0 || isEnd) {
        const parts = sealRecord(key, seq, record, plain, isEnd && at === bytes.length);
        sealed.push(parts[0], parts[1], parts[2]);
        record += 1;
      }
    } while (at < bytes.length);
  }
  function sealHead(head: Uint8Array): Uint8Array[] {
    if (head.length > RECORD_BYTES) throw new Error("A request's or an answer's head is too long.");
    const sealed: Uint8Array[] = [];
    seal(sealed, head, false);
    return sealed;
  }
  function sealBody(sealed: Uint8Array[], bytes: Uint8Array, isEnd: boolean): Buffer<ArrayBuffer> {
    seal(sealed, bytes, isEnd);
    return Buffer.concat(sealed);
  }
  return {
    head: (head) => Buffer.concat(sealHead(head)),
    part: (bytes) => sealBody([], bytes, false),
    last: (bytes = NOTHING) => sealBody([], bytes, true),
    whole: (head, body) => sealBody(sealHead(head), body, true),
  };
}

const NOTHING = new Uint8Array();
