import { expect, it } from "vitest";
import { type AnswerHead, headerValue } from "#peer/http/answer-head";
import { createAnswerParser } from "#peer/http/answer-parser";

type Read = {
  readonly heads: AnswerHead[];
  readonly body: string;
  /** `undefined`: it did not end. */
  readonly isReusable: boolean | undefined;
  readonly isWrong: boolean;
};

/** What is read of bytes that come in pieces, and then the connection's end. */
function read(pieces: readonly string[], closes = true): Read {
  const heads: AnswerHead[] = [];
  let body = "";
  let isReusable: boolean | undefined;
  let ends = 0;
  const parser = createAnswerParser({
    onHead: (head) => heads.push(head),
    onBody: (bytes) => {
      body += Buffer.from(bytes).toString("latin1");
    },
    onEnd: (is) => {
      ends += 1;
      isReusable = is;
    },
  });
  const isWrong = pieces.some((piece) => !parser.push(Buffer.from(piece, "latin1")));
  if (!isWrong && closes) parser.close();
  expect(ends).toBeLessThanOrEqual(1);
  return { heads, body, isReusable, isWrong };
}

const answer = (...lines: string[]): string => lines.join("\r\n");

const WHOLE: Readonly<Record<string, { text: string; body: string; isReusable: boolean }>> = {
  "a length": {
    text: answer("HTTP/1.1 200 OK", "Content-Length: 5", "", "hello"),
    body: "hello",
    isReusable: true,
  },
  "chunks, extensions and trailers": {
    text: answer(
      "HTTP/1.1 200 OK",
      "transfer-encoding: Chunked",
      "",
      "3;name=value",
      "a\r\n",
      "A",
      "0123456789",
      "000",
      "x-checksum: 1",
      "",
      "",
    ),
    body: "a\r\n0123456789",
    isReusable: true,
  },
  "a chunk that looks like chunks": {
    text: answer(
      "HTTP/1.1 200 OK",
      "transfer-encoding: chunked",
      "",
      "11",
      "x\r\n1\r\ny\r\n0\r\n\r\nabc",
      "0",
      "",
      "",
    ),
    body: "x\r\n1\r\ny\r\n0\r\n\r\nabc",
    isReusable: true,
  },
  "an extension as long as its chunk": {
    text: answer("HTTP/1.1 200 OK", "transfer-encoding: chunked", "", "1;ax", "y", "0", "", ""),
    body: "y",
    isReusable: true,
  },
  "the connection's end": {
    text: answer("HTTP/1.1 200", "", "until it closes"),
    body: "until it closes",
    isReusable: false,
  },
  "no body by its status": {
    text: answer("HTTP/1.1 204 No Content", "", ""),
    body: "",
    isReusable: true,
  },
  "an empty body": {
    text: answer("HTTP/1.1 200 OK", "content-length: 0", "", ""),
    body: "",
    isReusable: true,
  },
  "a hint before it": {
    text:
      answer("HTTP/1.1 100 Continue", "", "HTTP/1.1 103 Early Hints", "link: </a>", "", "") +
      answer("HTTP/1.1 200 OK", "content-length: 1", "", "x"),
    body: "x",
    isReusable: true,
  },
  "a connection that will not be kept": {
    text: answer("HTTP/1.1 200 OK", "connection: Close", "content-length: 1", "", "x"),
    body: "x",
    isReusable: false,
  },
  "the older version": {
    text: answer("HTTP/1.0 200 OK", "content-length: 1", "", "x"),
    body: "x",
    isReusable: false,
  },
  "the older version, kept alive": {
    text: answer("HTTP/1.0 200 OK", "connection: keep-alive", "content-length: 1", "", "x"),
    body: "x",
    isReusable: true,
  },
};

it.each(Object.entries(WHOLE))(
  "reads an answer with %s, cut anywhere",
  (_, { text, ...expected }) => {
    for (let at = 0; at <= text.length; at += 1) {
      const got = read([text.slice(0, at), text.slice(at)]);
      expect({ body: got.body, isReusable: got.isReusable, isWrong: got.isWrong, at }).toEqual({
        ...expected,
        isWrong: false,
        at,
      });
    }
    const got = read(text.split(""));
    expect({ body: got.body, isReusable: got.isReusable }).toEqual(expected);
  },
);

it("gives every header in order, names in lower case, values as they are", () => {
  const [head] = read([
    answer(
      "HTTP/1.1 429 Too Many",
      "X-A:  1 ",
      "x-b: \xe9:2",
      "X-a: 3",
      "content-length: 0",
      "",
      "",
    ),
  ]).heads;
  expect(head?.status).toBe(429);
  expect(head?.headers.slice(0, 3)).toEqual([
    ["x-a", "1"],
    ["x-b", "\xe9:2"],
    ["x-a", "3"],
  ]);
  expect(headerValue(head?.headers ?? [], "x-a")).toBe("1, 3");
  expect(headerValue(head?.headers ?? [], "x-c")).toBeUndefined();
});

const HEAD = "HTTP/1.1 200 OK\r\n";
const BROKEN: Readonly<Record<string, string>> = {
  "another protocol": "SSH-2.0-OpenSSH\r\n\r\n",
  "a request": "GET / HTTP/1.1\r\n\r\n",
  "a status that is none": "HTTP/1.1 999 No\r\n\r\n",
  "another protocol in its place": "HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\n\r\n",
  "a header without a colon": `${HEAD}nothing\r\n\r\n`,
  "a folded header": `${HEAD}a: 1\r\n b\r\n\r\n`,
  "a space before the colon": `${HEAD}content-length : 1\r\n\r\nx`,
  "a bare line feed": `${HEAD}a: 1\nb: 2\r\n\r\n`,
  "two lengths": `${HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`,
  "a length and chunks": `${HEAD}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
  "a length below zero": `${HEAD}content-length: -1\r\n\r\n`,
  "a length in another base": `${HEAD}content-length: 0x10\r\n\r\n`,
  "a length beyond all bounds": `${HEAD}content-length: 9999999999999999999\r\n\r\n`,
  "a coding that nobody asked for": `${HEAD}transfer-encoding: gzip, chunked\r\n\r\n`,
  "a chunk without a size": `${HEAD}transfer-encoding: chunked\r\n\r\n\r\nx\r\n`,
  "a chunk size below zero": `${HEAD}transfer-encoding: chunked\r\n\r\n-1\r\nx\r\n`,
  "a chunk size beyond all bounds": `${HEAD}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n`,
  "a chunk longer than it says": `${HEAD}transfer-encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n`,
  "a chunk with another one in place of its line's end": `${HEAD}transfer-encoding: chunked\r\n\r\n1\r\nxyz1\r\nx\r\n0\r\n\r\n`,
  "a chunk line without an end": `${HEAD}transfer-encoding: chunked\r\n\r\n1;${"x".repeat(5_000)}`,
  "a head without an end": `${HEAD}a: ${"x".repeat(70_000)}`,
  "too many headers": `${HEAD}${"a: 1\r\n".repeat(300)}\r\n`,
  "too many trailers": `${HEAD}transfer-encoding: chunked\r\n\r\n0\r\n${"a: 1\r\n".repeat(300)}\r\n`,
  "more than one answer": `${HEAD}content-length: 0\r\n\r\n${HEAD}content-length: 0\r\n\r\n`,
};

it.each(Object.entries(BROKEN))("refuses %s, however it is cut", (_, text) => {
  expect(read([text]).isWrong).toBe(true);
  expect(read(text.split("")).isWrong).toBe(true);
});

it.each([
  ["in its head", "HTTP/1.1 200 OK\r\nconte"],
  ["in a body with a length", `${HEAD}content-length: 5\r\n\r\nhell`],
  ["in a chunk", `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhell`],
  ["between chunks", `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`],
  ["before the last line", `${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n`],
])("finds no end where the connection ends %s", (_, text) => {
  expect(read([text]).isReusable).toBeUndefined();
});

it("takes nothing behind an answer for the answer to what was asked because of it", () => {
  const answer = "HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n";
  const bodies: string[] = [];
  const parser = createAnswerParser({
    onHead() {},
    onBody: (bytes) => void bodies.push(bytes.toString()),
    onEnd: () => parser.again(),
  });
  expect(parser.push(Buffer.from(`${answer}1${answer}2`))).toBe(false);
  expect(bodies).toHaveLength(1);
});

it("reads one answer after the other, each from its beginning", () => {
  let ends = 0;
  const parser = createAnswerParser({ onHead() {}, onBody() {}, onEnd: () => (ends += 1) });
  const trailers = "x: 1\r\n".repeat(200);
  for (const times of [1, 2]) {
    const answer = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n${trailers}\r\n`;
    expect(parser.push(Buffer.from(answer))).toBe(true);
    expect(ends).toBe(times);
    parser.again();
  }
});
