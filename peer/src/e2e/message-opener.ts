import { createRecordReader } from "#protocol/sealed-record";
import type { Bytes } from "../http/answer-parser";
import { type DirectionKey, openRecord } from "./aead";

export type MessageEvents = {
  /** False: it is no head that can be used, and nothing more is opened. */
  readonly onHead: (head: Bytes) => boolean;
  readonly onBody: (bytes: Bytes) => void;
};

export type MessageOpener = {
  /** False: this is not the message that was sealed; nothing is opened after that. */
  push(bytes: Uint8Array<ArrayBuffer>): boolean;
  /** Its end has come, as its sender set it. */
  readonly isWhole: boolean;
};

/** Opens one message, however its bytes are cut. Nothing is given out that was not sealed at its place. */
export function createMessageOpener(
  key: DirectionKey,
  seq: number,
  { onHead, onBody }: MessageEvents,
): MessageOpener {
  return createRecordReader((record, isLast, sealed) => {
    const plain = openRecord(key, seq, record, sealed, isLast);
    if (plain === undefined) return false;
    // A head alone is no message: its last record is the body's.
    if (record === 0) return !isLast && onHead(plain);
    if (plain.length > 0) onBody(plain);
    return true;
  });
}
