import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callTag, type DirectionKey, directionKey, isCallTag } from "#peer/e2e/aead";
import { createMessageOpener } from "#peer/e2e/message-opener";
import { createMessageSealer, sealMessage } from "#peer/e2e/message-sealer";
import type { Bytes } from "#peer/http/answer-parser";
import { RECORD_BYTES, sealedLength } from "#protocol/sealed-record";
import { VectorFile } from "#support/vector-case";
import vectors from "../../vectors/e2e.json";

const KEY = directionKey("request", Buffer.alloc(32, 7));
const SEQ = 41;
const HEAD = Buffer.from('{"head":1}');

type Opened = {
  readonly head: string | undefined;
  readonly body: string;
  readonly ok: boolean;
  readonly isWhole: boolean;
};

/** What comes out of a message whose bytes come in these pieces. */
function opened(pieces: readonly Uint8Array[], key: DirectionKey = KEY, seq = SEQ): Opened {
  let head: string | undefined;
  const body: Bytes[] = [];
  const opener = createMessageOpener(key, seq, {
    onHead(bytes) {
      head = Buffer.from(bytes).toString();
      return true;
    },
    onBody: (bytes) => body.push(bytes),
  });
  let ok = true;
  for (const piece of pieces) ok = opener.push(Uint8Array.from(piece)) && ok;
  return { head, body: Buffer.concat(body).toString("latin1"), ok, isWhole: opener.isWhole };
}

/** Four records: a head, two parts and an end. */
function message(key: DirectionKey = KEY, seq = SEQ): Buffer[] {
  const sealer = createMessageSealer(key, seq);
  return [
    sealer.head(HEAD),
    sealer.part(Buffer.from("one ")),
    sealer.part(Buffer.from("two ")),
    sealer.last(Buffer.from("three")),
  ];
}

const WHOLE = { head: HEAD.toString(), body: "one two three", ok: true, isWhole: true };

describe("a sealed message", () => {
  it("opens the same, wherever it is split in two", () => {
    const bytes = Buffer.concat(message());
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(opened([bytes.subarray(0, at), bytes.subarray(at)])).toEqual(WHOLE);
    }
  });

  it("opens byte by byte", () => {
    const bytes = Buffer.concat(message());
    expect(opened(Array.from(bytes, (byte) => Uint8Array.of(byte)))).toEqual(WHOLE);
  });

  it("holds any head and body, however they are given and cut", () => {
    const parts = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });
    const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 8 });
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), parts, cuts, (head, all, at) => {
        const sealer = createMessageSealer(KEY, SEQ);
        const bytes = Buffer.concat([
          sealer.head(head),
          ...all.map((part) => sealer.part(part)),
          sealer.last(),
        ]);
        const places = [0, ...at.toSorted((a, b) => a - b), bytes.length];
        const pieces = places.map((from, index) => bytes.subarray(from, places[index + 1]));
        expect(opened(pieces.slice(0, -1))).toEqual({
          head: Buffer.from(head).toString(),
          body: Buffer.concat(all).toString("latin1"),
          ok: true,
          isWhole: true,
        });
      }),
    );
  });

  it.each([0, 1, RECORD_BYTES - 1, RECORD_BYTES, RECORD_BYTES + 1, 3 * RECORD_BYTES])(
    "of %d bytes takes as many as were announced",
    (bytes) => {
      const sealed = sealMessage(KEY, SEQ, HEAD, Buffer.alloc(bytes, 1));
      expect(sealed).toHaveLength(sealedLength(HEAD.length, bytes));
      expect(opened([sealed])).toMatchObject({ ok: true, isWhole: true });
      expect(opened([sealed]).body).toHaveLength(bytes);
    },
  );

  it("is the same bytes at once and in parts", () => {
    const body = Buffer.alloc(2 * RECORD_BYTES + 5, 3);
    const sealer = createMessageSealer(KEY, SEQ);
    const inParts = [
      sealer.head(HEAD),
      sealer.part(body.subarray(0, RECORD_BYTES)),
      sealer.part(body.subarray(RECORD_BYTES, 2 * RECORD_BYTES)),
      sealer.last(body.subarray(2 * RECORD_BYTES)),
    ];
    expect(Buffer.concat(inParts)).toEqual(sealMessage(KEY, SEQ, HEAD, body));
  });

  it("has no head of more than a record", () => {
    const sealer = createMessageSealer(KEY, SEQ);
    expect(() => sealer.head(Buffer.alloc(RECORD_BYTES + 1))).toThrow("too long");
  });
});

describe("does not open", () => {
  const [head, one, two, end] = message() as [Buffer, Buffer, Buffer, Buffer];
  const other = message(KEY, SEQ + 1) as [Buffer, Buffer, Buffer, Buffer];
  const unmarked = Buffer.from(end);
  unmarked[0] = 0;
  const marked = Buffer.from(one);
  marked[0] = 0x80;

  it.each<readonly [string, readonly Buffer[], string]>([
    ["with its records swapped", [head, two, one, end], ""],
    ["with a record left out", [head, two, end], ""],
    ["with a record twice", [head, one, one, two, end], "one "],
    ["with another message's record", [head, one, other[2], end], "one "],
    ["with another message's end", [head, one, two, other[3]], "one two "],
    ["with another message's head", [other[0], one, two, end], ""],
    ["with the mark of its end taken off", [head, one, two, unmarked], "one two "],
    ["with the mark of its end set early", [head, marked], ""],
    ["with a byte behind its end", [head, one, two, end, Buffer.of(0)], "one two three"],
    ["with a record behind its end", [head, one, two, end, end], "one two three"],
  ])("%s", (_, pieces, body) => {
    for (const cut of [pieces, [Buffer.concat(pieces)]]) {
      expect(opened(cut)).toMatchObject({ ok: false, isWhole: false, body });
    }
  });

  it("under another key, another number or the other direction", () => {
    const wrong: [DirectionKey, number][] = [
      [directionKey("request", Buffer.alloc(32, 8)), SEQ],
      [KEY, SEQ + 1],
      [directionKey("answer", Buffer.alloc(32, 7)), SEQ],
    ];
    for (const [key, seq] of wrong) {
      expect(opened(message(), key, seq)).toMatchObject({ ok: false, head: undefined, body: "" });
    }
  });

  it("with any one bit flipped, and gives out nothing from there on", () => {
    const bytes = Buffer.concat(message());
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const flipped = Buffer.from(bytes);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      const { isWhole, body } = opened([flipped]);
      expect(isWhole).toBe(false);
      expect(WHOLE.body.startsWith(body)).toBe(true);
    }
  });

  it("cut off anywhere", () => {
    const bytes = Buffer.concat(message());
    for (let at = 0; at < bytes.length; at += 1) {
      expect(opened([bytes.subarray(0, at)]).isWhole).toBe(false);
    }
  });

  it("where it is one record, which would be head and end at once", () => {
    expect(opened([createMessageSealer(KEY, SEQ).last(HEAD)])).toMatchObject({ ok: false });
  });

  it("beyond a head that is refused", () => {
    const body: Bytes[] = [];
    const opener = createMessageOpener(KEY, SEQ, {
      onHead: () => false,
      onBody: (bytes) => body.push(bytes),
    });
    expect(opener.push(Uint8Array.from(Buffer.concat(message())))).toBe(false);
    expect(body).toEqual([]);
  });

  it("a record longer than any is, before it has come", () => {
    const header = Buffer.alloc(4);
    header.writeUInt32BE(RECORD_BYTES + 17);
    expect(opened([header])).toMatchObject({ ok: false });
  });

  it("any other bytes, and never throws", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 80 })), (pieces) => {
        expect(opened(pieces)).toMatchObject({ head: undefined, isWhole: false });
      }),
      { numRuns: 1_000 },
    );
  });
});

it("a call's tag fits its session and its number alone", () => {
  const tag = callTag(KEY, SEQ);
  expect(isCallTag(KEY, SEQ, tag)).toBe(true);
  expect(isCallTag(KEY, SEQ + 1, tag)).toBe(false);
  expect(isCallTag(directionKey("request", Buffer.alloc(32, 8)), SEQ, tag)).toBe(false);
  expect(isCallTag(KEY, SEQ, tag.slice(1))).toBe(false);
  expect(isCallTag(KEY, SEQ, "A".repeat(22))).toBe(false);
});

describe("the cipher that works in place says what the vectors say:", () => {
  const { cases } = VectorFile.parse(vectors);
  type Input = { key: string; about: "request" | "answer"; seq: number };
  const keyOf = ({ key, about }: Input) => directionKey(about, Buffer.from(key, "hex"));

  it.each(cases.filter(({ op }) => op === "open_message"))("$name", ({ input, expect: wanted }) => {
    const given = input as Input & { sealed: string };
    const records: string[] = [];
    const keep = (bytes: Bytes) => records.push(Buffer.from(bytes).toString("hex"));
    const opener = createMessageOpener(keyOf(given), given.seq, {
      onHead: (head) => keep(head) > 0,
      onBody: keep,
    });
    const isRead = opener.push(Uint8Array.from(Buffer.from(given.sealed, "hex")));
    expect(isRead && opener.isWhole ? records : "refused").toEqual(wanted);
  });

  it("the tag of a call", () => {
    const vector = cases.find(({ op }) => op === "call_tag");
    const input = vector?.input as Input;
    const tag = Buffer.from(callTag(keyOf(input), input.seq), "base64url");
    expect(tag.toString("hex")).toBe(vector?.expect);
  });
});
