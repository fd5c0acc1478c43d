import { expect, it } from "vitest";
import { createKeptEnds, KEPT_HEAD_BYTES, KEPT_TAIL_BYTES } from "#peer/metering/kept-ends";

/** Bytes that differ from their neighbours, all of Latin-1 among them. */
const bodyOf = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, at) => at * 7));

const kept = KEPT_HEAD_BYTES + KEPT_TAIL_BYTES;
const lengths = [0, 1, KEPT_HEAD_BYTES + 1, KEPT_TAIL_BYTES, kept, kept + 1, 50_000];

it.each(lengths.flatMap((length) => [1, 97, 5_000, 100_000].map((piece) => ({ length, piece }))))(
  "keeps the ends of $length bytes that come in pieces of $piece",
  ({ length, piece }) => {
    const body = bodyOf(length);
    const ends = createKeptEnds();
    for (let at = 0; at < length; at += piece) ends.feed(body.subarray(at, at + piece));
    const head = body.toString("latin1", 0, KEPT_HEAD_BYTES);
    const tail = body.toString("latin1", Math.max(0, length - KEPT_TAIL_BYTES));
    expect(ends.head()).toBe(head);
    expect(ends.tail()).toBe(tail);
    const pieces = ends.pieces();
    expect(pieces.at(-1)).toBe(tail);
    if (length > KEPT_TAIL_BYTES) expect(pieces).toEqual([head, tail]);
  },
);
