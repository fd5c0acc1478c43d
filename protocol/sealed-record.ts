/**
 * How a sealed message is cut into records (STREAM, Hoang et al. 2015): `u32 length | ciphertext | tag`. The highest bit
 * of the length marks the last one. The nonce says which record of which message it is and whether it is the last, so
 * that what was cut off, moved, repeated or taken from another message does not open.
 */
export const RECORD_BYTES = 64 * 1_024;
export const TAG_BYTES = 16;
export const RECORD_HEADER_BYTES = 4;
const RECORD_OVERHEAD = RECORD_HEADER_BYTES + TAG_BYTES;
const LAST = 0x8000_0000;

/** `call` is no record: its tag over nothing shows in a header who asks. */
export type RecordPlace = "more" | "last" | "call";
const PLACES: Readonly<Record<RecordPlace, number>> = { more: 0, last: 1, call: 2 };

/**
 * seq (4 bytes) | number of the record within its message (7) | place (1). `seq` counts once per lease and node. Each of
 * the twelve bytes of `nonce` is written.
 */
export function recordNonce(
  seq: number,
  record: number,
  place: RecordPlace,
  nonce: Uint8Array<ArrayBuffer> = new Uint8Array(12),
): Uint8Array<ArrayBuffer> {
  putUint32(nonce, 0, seq);
  putUint32(nonce, 7, record);
  nonce[6] = record / 2 ** 32;
  nonce[5] = record / 2 ** 40;
  nonce[4] = record / 2 ** 48;
  nonce[11] = PLACES[place];
  return nonce;
}

/** Without a DataView: its buffer would cost as much as the cipher. */
function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value / 2 ** 24;
  bytes[at + 1] = value / 2 ** 16;
  bytes[at + 2] = value / 2 ** 8;
  bytes[at + 3] = value;
}

/** The four bytes in front of a record of so many bytes of plaintext. */
export function recordHeader(plainBytes: number, isLast: boolean): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(RECORD_HEADER_BYTES);
  putUint32(header, 0, plainBytes + TAG_BYTES + (isLast ? LAST : 0));
  return header;
}

/** Bytes that a message takes on the wire: its head in one record, its body in as few as hold it. */
export function sealedLength(headBytes: number, bodyBytes: number): number {
  const records = Math.max(1, Math.ceil(bodyBytes / RECORD_BYTES));
  return headBytes + bodyBytes + (1 + records) * RECORD_OVERHEAD;
}

/** `record`: its number within the message, from 0. `sealed`: ciphertext and tag. False: it is refused. */
export type TakeRecord = (
  record: number,
  isLast: boolean,
  sealed: Uint8Array<ArrayBuffer>,
) => boolean;

export type RecordReader = {
  /** False: `take` refused a record, or these are no records; nothing is read after that. */
  push(bytes: Uint8Array<ArrayBuffer>): boolean;
  /** The last record has been taken, and nothing came behind it. */
  readonly isWhole: boolean;
};

/** Finds the records in bytes that are cut anywhere. Keeps no more than one record. */
export function createRecordReader(take: TakeRecord): RecordReader {
  let state: "reading" | "whole" | "broken" = "reading";
  let record = 0;
  /** What is there of the four bytes in front of a record. */
  let header = 0;
  let headerBytes = 0;
  /** What is there of the record, and how much is not. */
  let pieces: Uint8Array<ArrayBuffer>[] = [];
  let missing = 0;

  /** Each reads from `at` on, and says how far; `undefined`: these are no records. */
  function readHeader(bytes: Uint8Array<ArrayBuffer>, from: number): number | undefined {
    let at = from;
    while (headerBytes < RECORD_HEADER_BYTES && at < bytes.length) {
      header = header * 256 + (bytes[at] ?? 0);
      headerBytes += 1;
      at += 1;
    }
    if (headerBytes === RECORD_HEADER_BYTES) {
      missing = header % LAST;
      const least = header >= LAST ? TAG_BYTES : TAG_BYTES + 1;
      if (missing < least || missing > RECORD_BYTES + TAG_BYTES) return undefined;
    }
    return at;
  }

  function readRecord(bytes: Uint8Array<ArrayBuffer>, from: number): number | undefined {
    const part = bytes.subarray(from, from + missing);
    missing -= part.length;
    if (missing > 0) {
      pieces.push(part);
      return bytes.length;
    }
    // Most records come in one piece, which is opened where it lies.
    const sealed = pieces.length === 0 ? part : joined([...pieces, part]);
    const isLast = header >= LAST;
    if (pieces.length > 0) pieces = [];
    header = 0;
    headerBytes = 0;
    if (!take(record++, isLast, sealed)) return undefined;
    if (isLast) state = "whole";
    return from + part.length;
  }

  const reader: RecordReader & { isWhole: boolean } = {
    isWhole: false,
    push(bytes) {
      let at: number | undefined = 0;
      while (at !== undefined && at < bytes.length) {
        if (state !== "reading") at = undefined;
        else at = headerBytes < RECORD_HEADER_BYTES ? readHeader(bytes, at) : readRecord(bytes, at);
      }
      if (at === undefined) state = "broken";
      reader.isWhole = state === "whole";
      return at !== undefined;
    },
  };
  return reader;
}

function joined(pieces: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
