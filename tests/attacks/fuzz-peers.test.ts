import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openAnswer } from "#peer/client/opened-answer";
import { systemClock } from "#peer/clock";
import { directionKey } from "#peer/e2e/aead";
import { createMessageSealer } from "#peer/e2e/message-sealer";
import { createAnswer } from "#peer/http/answer";
import { type Bytes, createAnswerParser } from "#peer/http/answer-parser";
import { createAnswerMeter } from "#peer/metering/answer-meter";
import { BodyRefused, openRequest } from "#peer/worker/sealed-request";
import { isAllowedUrl } from "#protocol/address-ranges";
import { verifyE2eKey } from "#protocol/e2e-key";
import { formatSessionMark, parseSessionMark, sealedHead } from "#protocol/sealed-message";
import { createRecordReader, RECORD_BYTES, recordHeader } from "#protocol/sealed-record";
import { clientAddress } from "#self-host/client-address";
import { LIMIT_MS, RUNS, text, token } from "./fuzz";

const bytes = fc.uint8Array({ maxLength: 120 });
const cuts = fc.array(fc.nat({ max: 2_000 }), { maxLength: 6 });

/** The same bytes, cut at these places. */
function cutAt(whole: Uint8Array, places: readonly number[]): Bytes[] {
  const ends = [...places.filter((at) => at < whole.length), whole.length];
  let from = 0;
  return ends
    .toSorted((a, b) => a - b)
    .map((end) => {
      const piece = Uint8Array.from(whole.subarray(from, end));
      from = end;
      return piece;
    });
}

function forAll<Value>(values: fc.Arbitrary<Value>, holds: (value: Value) => void): void {
  fc.assert(fc.property(values, holds), { numRuns: RUNS });
}

function forEach<Value>(
  values: fc.Arbitrary<Value>,
  holds: (value: Value) => Promise<void>,
): Promise<void> {
  return fc.assert(fc.asyncProperty(values, holds), { numRuns: RUNS });
}

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
        const reader = createRecordReader(({ record: number, isLast, sealed: found }) => {
          records.push(`${number} ${isLast} ${Buffer.from(found).toString("hex")}`);
          return true;
        });
        const isRead = pieces.map((piece) => reader.push(piece)).every(Boolean);
        return { records, isRead, isWhole: reader.isWhole };
      };
      forAll(fc.tuple(stream, cuts), ([whole, at]) => {
        expect(read(cutAt(whole, at))).toEqual(read([Uint8Array.from(whole)]));
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

describe("an answer over HTTP", () => {
  const line = fc.constantFrom(
    "HTTP/1.1 200 OK\r\n",
    "HTTP/1.1 100 Go on\r\n\r\n",
    "HTTP/1.0 200 OK\r\n",
    "HTTP/1.1 204 Nothing\r\n\r\n",
    "transfer-encoding: chunked\r\n",
    "content-length: 5\r\n",
    "connection: close\r\n",
    "x: y\r\n",
    " folded\r\n",
    "\r\n",
    "5\r\nhello\r\n",
    "3;a=b\r\nhel\r\n",
    "0\r\n\r\n",
    "0\r\nt: 1\r\n\r\n",
    "hello",
    "\n",
    "\0",
  );
  const stream = fc
    .array(fc.oneof({ weight: 4, arbitrary: line }, text), { maxLength: 9 })
    .map((all) => Buffer.from(all.join(""), "latin1"));

  function read(pieces: readonly Bytes[]) {
    const heads: string[] = [];
    const body: Uint8Array[] = [];
    const ends: boolean[] = [];
    const parser = createAnswerParser({
      onHead: (head) => heads.push(JSON.stringify(head)),
      onBody: (part) => body.push(part),
      onEnd: (isReusable) => ends.push(isReusable),
    });
    let isRead = true;
    for (const piece of pieces) isRead = isRead && parser.push(Buffer.from(piece));
    if (isRead) parser.close();
    return { isRead, heads, ends, body: Buffer.concat(body).toString("latin1") };
  }

  it(
    "is read the same, wherever it is cut, and has one head and one end",
    () => {
      forAll(fc.tuple(stream, cuts), ([whole, at]) => {
        const all = read([Uint8Array.from(whole)]);
        const inPieces = read(cutAt(whole, at).filter((piece) => piece.length > 0));
        expect(inPieces).toEqual(all);
        expect(all.heads.length).toBeLessThanOrEqual(1);
        expect(all.ends.length).toBeLessThanOrEqual(all.heads.length);
      });
    },
    LIMIT_MS,
  );
});

describe("a stream that a client reads along", () => {
  const line = fc.constantFrom(
    "data: [DONE]\n\n",
    'data: {"id":"x","choices":[{"delta":{"content":"y"},"finish_reason":null}]}\n\n',
    'data: {"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}\n\n',
    'data: {"error":{"message":"m","code":"budget_exhausted"}}\n\n',
    'data: {"type":"response.completed","sequence_number":7}\n\n',
    "event: error\n",
    "event: message_stop\ndata: {}\n\n",
    'data: {"usage":{"usage":{',
    ": comment\r\n\r\n",
    "\n",
    "\r\n",
    "data:",
    "event:",
    '"usage":{"input_tokens":',
    "}",
  );
  const stream = fc
    .array(fc.oneof({ weight: 4, arbitrary: line }, text), { maxLength: 12 })
    .map((all) => Buffer.from(all.join(""), "utf8"));
  const apis = fc.constantFrom(
    "chat",
    "completions",
    "responses",
    "messages",
    "other",
  ) as fc.Arbitrary<Parameters<typeof createAnswerMeter>[0]["api"]>;
  const engines = fc.constantFrom("ollama", "vllm", "openai");
  const types = fc.constantFrom("text/event-stream", "application/json", undefined);

  it(
    "is judged the same, wherever it is cut, and by nothing but its bytes",
    () => {
      forAll(
        fc.tuple(stream, cuts, apis, engines, types),
        ([whole, at, api, engine, contentType]) => {
          const judge = (pieces: readonly Uint8Array[]) => {
            const meter = createAnswerMeter({ api, contentType, contentEncoding: undefined });
            for (const piece of pieces) meter.feed(piece);
            const error = { code: "engine_error", message: "m" } as const;
            return {
              end: meter.end(engine),
              usage: meter.usage(),
              tells: meter.tells("budget_exhausted"),
              frame: meter.errorFrame(error),
              bytes: meter.bytes,
              hash: meter.hash(),
            };
          };
          const all = judge([whole]);
          expect(judge(cutAt(whole, at))).toEqual(all);
          for (const tokens of Object.values(all.usage)) {
            expect(Number.isInteger(tokens) && tokens >= 0).toBe(true);
          }
        },
      );
    },
    LIMIT_MS,
  );
});

describe("addresses", () => {
  const part = fc.constantFrom("127.0.0.1", "0x7f.1", "[::ffff:7f00:1]", "[::1]", "localhost", "1");
  const url = fc
    .tuple(
      fc.constantFrom("http://", "https://", "file://", "http:", ""),
      fc.oneof(
        part,
        text,
        fc.ipV4(),
        fc.ipV6().map((address) => `[${address}]`),
        fc.domain(),
      ),
      fc.constantFrom("", ":80", ":0", "/", "@10.0.0.1", "#", "?x"),
    )
    .map((all) => all.join(""));

  it(
    "are allowed only as literals within the ranges",
    () => {
      forAll(fc.oneof(url, text), (said) => {
        if (!isAllowedUrl(said, ["10.0.0.0/8", "fd00::/8"])) return;
        expect(new URL(said).hostname).toMatch(/^(10\.[\d.]+|\[(fd|::ffff:a)[0-9a-f:]+\])$/);
      });
    },
    LIMIT_MS,
  );

  it(
    "that a client wrote count for nothing without a proxy that is named, and never as what is none",
    () => {
      const proxies = { ranges: ["10.0.0.0/8"], header: "x-forwarded-for" };
      const address = fc.oneof(
        fc.ipV4(),
        fc.ipV6(),
        fc.constantFrom("10.0.0.9", "", "unknown", "1"),
      );
      forAll(fc.tuple(fc.ipV4(), fc.array(address, { maxLength: 5 })), ([from, said]) => {
        const headers = new Headers({ "x-forwarded-for": said.join(", ") });
        expect(clientAddress(from, headers, undefined)).toBe(from);
        const taken = clientAddress(from, headers, proxies);
        if (from.startsWith("10.")) expect([from, ...said]).toContain(taken);
        else expect(taken).toBe(from);
      });
    },
    LIMIT_MS,
  );
});
