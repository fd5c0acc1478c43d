import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Bytes, createAnswerParser } from "#peer/http/answer-parser";
import { createAnswerMeter } from "#peer/metering/answer-meter";
import { isAllowedUrl } from "#protocol/address-ranges";
import { clientAddress } from "#self-host/client-address";
import { cutAt, cuts, forAll, LIMIT_MS, text } from "./fuzz";

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
        const all = read([Buffer.from(whole)]);
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
          const judge = (pieces: readonly Buffer[]) => {
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
