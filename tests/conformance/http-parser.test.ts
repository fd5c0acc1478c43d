import { assert, nat, property, uniqueArray } from "fast-check";
import { expect, it } from "vitest";
import { declaredFraming, httpParser } from "./http-parser";

const STREAM = Buffer.from(
  "HTTP/1.1 100 Continue\r\n\r\n" +
    "HTTP/1.1 200 OK\r\nContent-Type: a\r\nTransfer-Encoding: chunked\r\n\r\n" +
    "4\r\na\r\nb\r\n3;x=y\r\n日\r\n0\r\nTrailer: t\r\n\r\n" +
    "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello" +
    "HTTP/1.1 200 OK\r\n\r\nuntil the end",
);

function read(pieces: readonly Buffer[]): string[] {
  const seen: string[] = [];
  let body = "";
  const parser = httpParser((head) => declaredFraming(head) ?? "untilClose", {
    onHead: ({ startLine, headers }) => seen.push(startLine, ...headers.map((h) => h.join("="))),
    onBody: (bytes) => (body += Buffer.from(bytes).toString("latin1")),
    onEnd: () => {
      seen.push(Buffer.from(body, "latin1").toString());
      body = "";
    },
  });
  for (const piece of pieces) parser.push(piece);
  parser.close();
  return seen;
}

const EXPECTED = [
  "HTTP/1.1 100 Continue",
  "HTTP/1.1 200 OK",
  "Content-Type=a",
  "Transfer-Encoding=chunked",
  "a\r\nb日",
  "HTTP/1.1 404 Not Found",
  "Content-Length=5",
  "hello",
  "HTTP/1.1 200 OK",
  "until the end",
];

it("reads the same messages wherever the bytes are cut", () => {
  expect(read([STREAM])).toEqual(EXPECTED);
  const cuts = uniqueArray(nat({ max: STREAM.length }), { maxLength: 8 });
  assert(
    property(cuts, (positions) => {
      const borders = [0, ...positions.toSorted((a, b) => a - b), STREAM.length];
      const pieces = borders.slice(1).map((end, index) => STREAM.subarray(borders[index], end));
      expect(read(pieces)).toEqual(EXPECTED);
    }),
  );
});
