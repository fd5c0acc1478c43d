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

  function seal(bytes: Uint8Array, isEnd: boolean, sealed: Uint8Array[]): Uint8Array[] {
    let at = 0;
    do {
      const plain = bytes.subarray(at, at + RECORD_BYTES);
      at += plain.length;
      if (plain.length > 0 || isEnd) {
        sealed.push(...sealRecord(key, seq, record, plain, isEnd && at === bytes.length));
        record += 1;
      }
    } while (at < bytes.length);
    return sealed;
  }
  function sealHead(head: Uint8Array): Uint8Array[] {
    if (head.length > RECORD_BYTES) throw new Error("A request's or an answer's head is too long.");
    return seal(head, false, []);
  }

  return {
    head: (head) => Buffer.concat(sealHead(head)),
    part: (bytes) => Buffer.concat(seal(bytes, false, [])),
    last: (bytes = NOTHING) => Buffer.concat(seal(bytes, true, [])),
    whole: (head, body) => Buffer.concat(seal(body, true, sealHead(head))),
  };
}

const NOTHING = new Uint8Array();
