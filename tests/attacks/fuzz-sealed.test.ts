import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openAnswer } from "#peer/client/call/opened-answer";
import { systemClock } from "#peer/clock";
import { directionKey } from "#peer/e2e/aead";
import { createMessageSealer } from "#peer/e2e/message-sealer";
import { createAnswer } from "#peer/http/answer";
import type { Bytes } from "#peer/http/answer-parser";
import { BodyRefused, openRequest } from "#peer/worker/serve/sealed-request";
import { verifyE2eKey } from "#protocol/e2e-key";
import { formatSessionMark, parseSessionMark, sealedHead } from "#protocol/sealed-message";
import { createRecordReader, RECORD_BYTES, recordHeader } from "#protocol/sealed-record";
import { bytes, cutAt, cuts, forAll, forEach, LIMIT_MS, text, token } from "./fuzz";

/** What somebody on the way can do to bytes. */
type Bent = (whole: Uint8Array) => Uint8Array;
const place = fc.nat({ max: 2 ** 20 });
const bends: fc.Arbitrary<Bent> = fc.oneof(
  fc.tuple(place, fc.integer({ min: 1, max: 255 })).map(([at, flip]): Bent => (whole) => {
    const bent = Uint8Array.from(whole);
    const byte = at % bent.length;
    bent[byte] = (bent[byte] ?? 0) ^ flip;
    return bent;
  }),
  place.map(
    (at): Bent =>
      (whole) =>
        whole.subarray(0, at % whole.length),
  ),
  place.map(
    (at): Bent =>
      (whole) =>
        whole.subarray(1 + (at % whole.length)),
  ),
  fc
    .tuple(place, fc.uint8Array({ minLength: 1, maxLength: 40 }))
    .map(([at, more]): Bent => (whole) => {
      const from = at % (whole.length + 1);
      return Buffer.concat([whole.subarray(0, from), more, whole.subarray(from)]);
    }),
  place.map((): Bent => (whole) => Buffer.concat([whole, whole])),
);

const SEQ = 7;
const SECRET = Buffer.alloc(32, 5);
const HASH = "A".repeat(43);
const requestKey = directionKey("request", SECRET);
const answerKey = directionKey("answer", SECRET);

function sealed(key: typeof requestKey, head: Uint8Array, parts: readonly Uint8Array[]): Buffer {
  const sealer = createMessageSealer(key, SEQ);
  const [last = new Uint8Array(), ...others] = parts;
  return Buffer.concat([
    sealer.head(head),
    ...others.map((part) => sealer.part(part)),
    sealer.last(last),
  ]);
}

/** A head that was sealed by who has the key, and is whatever that one likes. */
const heads = fc
  .oneof(
    fc.record(
      {
        target: fc.oneof(fc.constantFrom("/v1/chat/completions", "//x", "x"), text),
        status: fc.oneof(fc.integer(), text),
        headers: fc.oneof(fc.array(fc.tuple(text, text)), fc.jsonValue()),
        length: fc.oneof(fc.nat({ max: 300 }), fc.double(), text),
        hash: fc.oneof(fc.constant(HASH), text),
      },
      { requiredKeys: [] },
    ),
    fc.jsonValue(),
  )
  .map((value) => Buffer.from(JSON.stringify(value)));
const plains = fc.oneof(heads, fc.uint8Array({ minLength: 1, maxLength: 80 }));
const parts = fc.array(bytes, { maxLength: 4 });

describe("sealed bytes from the network", () => {
  it(
    "are found to be the same records, wherever they are cut",
    () => {
      const record = fc.oneof(
        bytes,
        fc
          .tuple(fc.nat({ max: 60 }), fc.boolean())
          .map(([plain, isLast]) =>
            Buffer.concat([recordHeader(plain, isLast), Buffer.alloc(plain + 16, 1)]),
          ),
        fc.constant(recordHeader(RECORD_BYTES + 1, false)),
      );
      const stream = fc.array(record, { maxLength: 5 }).map((all) => Buffer.concat(all));
      const read = (pieces: readonly Bytes[]) => {
        const records: string[] = [];
        const reader = createRecordReader((number, isLast, found) => {
          records.push(`${number} ${isLast} ${Buffer.from(found).toString("hex")}`);
          return true;
        });
        const isRead = pieces.map((piece) => reader.push(piece)).every(Boolean);
        return { records, isRead, isWhole: reader.isWhole };
      };
      forAll(fc.tuple(stream, cuts), ([whole, at]) => {
        expect(read(cutAt(whole, at))).toEqual(read([Buffer.from(whole)]));
      });
    },
    LIMIT_MS,
  );

  /** What the app is given of an answer that came in these pieces. */
  async function appSees(pieces: readonly Bytes[]) {
    let isOver = false;
    const outer = createAnswer(
      { status: 200, headers: [], keepsAlive: false },
      { pause() {}, resume() {}, close: () => (isOver = true) },
    );
    const opening = openAnswer(outer.answer, answerKey, SEQ);
    const body: Uint8Array[] = [];
    let isWhole: boolean | undefined;
    for (const piece of pieces) if (!isOver) outer.onBody(piece);
    outer.onOver(!isOver);
    const inner = await opening;
    inner?.read({ onData: (part) => body.push(part), onEnd: (whole) => (isWhole = whole) });
    return { inner, body: Buffer.concat(body), isWhole };
  }

  it(
    "that were changed on their way give an app no byte that was not sealed, and never a whole answer",
    async () => {
      await forEach(fc.tuple(parts, bends, cuts), async ([all, bend, at]) => {
        const head = sealedHead({ status: 200, headers: [["content-type", "text/plain"]] });
        const [last = new Uint8Array(), ...others] = all;
        const message = sealed(answerKey, head, all);
        const said = Buffer.concat([...others, last]);

        const good = await appSees(cutAt(message, at));
        expect([good.isWhole, good.body.equals(said)]).toEqual([true, true]);

        const bent = bend(message);
        if (Buffer.from(bent).equals(message)) return;
        const came = await appSees(cutAt(bent, at));
        expect(came.isWhole).not.toBe(true);
        expect(said.subarray(0, came.body.length).equals(came.body)).toBe(true);
      });
    },
    LIMIT_MS,
  );

  it(
    "whose head is whatever a lying node likes are an answer or none",
    async () => {
      await forEach(fc.tuple(plains, parts, cuts), async ([head, all, at]) => {
        const { inner } = await appSees(cutAt(sealed(answerKey, head, all), at));
        if (inner === undefined) return;
        expect(inner.status).toBeGreaterThanOrEqual(200);
        expect(inner.status).toBeLessThanOrEqual(599);
        for (const [name, value] of inner.headers) expect(`${name}${value}`).not.toMatch(/[\r\n]/);
      });
    },
    LIMIT_MS,
  );

  /** What a node reads of a request with this body, announced or in pieces of its own. */
  async function nodeReads(body: Uint8Array, isAnnounced: boolean) {
    const request = new Request("http://node/v1/sealed", {
      method: "POST",
      body: Uint8Array.from(body),
      headers: isAnnounced ? { "content-length": String(body.length) } : {},
    });
    const session = { requestKey, answerKey, salt: "" };
    const opened = await openRequest(request, session, SEQ, systemClock);
    if (!opened.ok) return { refused: opened.reason };
    const { head, body: inside } = opened.value;
    try {
      if (inside.kind === "whole") return { head, body: Buffer.from(inside.bytes) };
      return { head, body: Buffer.concat(await Array.fromAsync(inside.chunks)) };
    } catch (error) {
      if (error instanceof BodyRefused) return { refused: error.refusal.reason };
      throw error;
    }
  }

  it(
    "that were changed on their way are refused by a node",
    async () => {
      const head = sealedHead({ target: "/v1/x", headers: [], length: 0, hash: HASH });
      await forEach(fc.tuple(parts, bends, fc.boolean()), async ([all, bend, isAnnounced]) => {
        const message = sealed(requestKey, head, all);
        const [last = new Uint8Array(), ...others] = all;
        const read = await nodeReads(message, isAnnounced);
        expect(read.body?.equals(Buffer.concat([...others, last]))).toBe(true);

        const bent = bend(message);
        if (Buffer.from(bent).equals(message)) return;
        expect(["body_forged", "body_broken"]).toContain(
          (await nodeReads(bent, isAnnounced)).refused,
        );
      });
    },
    LIMIT_MS,
  );

  it(
    "whose head is whatever a greedy client likes are a request or refused",
    async () => {
      await forEach(fc.tuple(plains, parts, fc.boolean()), async ([head, all, isAnnounced]) => {
        const read = await nodeReads(sealed(requestKey, head, all), isAnnounced);
        if (read.head === undefined) expect(read.refused).toBe("body_forged");
        else expect(read.head.target).toMatch(/^\/[\x21-\x7e]*$/);
      });
    },
    LIMIT_MS,
  );

  it(
    "are named by a session or by nothing",
    () => {
      const mark = fc
        .tuple(fc.oneof(fc.constant(HASH), text), fc.oneof(fc.nat(), text), text)
        .map((all) => all.join("."));
      forAll(fc.oneof(text, mark), (said) => {
        const parsed = parseSessionMark(said);
        if (parsed !== undefined) expect(formatSessionMark(parsed)).toBe(said);
      });
    },
    LIMIT_MS,
  );

  it(
    "are sealed for no key that its node did not sign",
    () =>
      forEach(fc.oneof(text, token), async (said) => {
        expect((await verifyE2eKey(said, HASH, Date.now())).ok).toBe(false);
      }),
    LIMIT_MS,
  );
});
