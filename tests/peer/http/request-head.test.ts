import { expect, it } from "vitest";
import { requestHead } from "#peer/http/request-head";

const TO = { host: "node:1", target: "/v1/x?y" };

it("writes a line for each header", () => {
  expect(requestHead(TO, { a: "b", "content-length": 0 })).toBe(
    "POST /v1/x?y HTTP/1.1\r\nhost: node:1\r\na: b\r\ncontent-length: 0\r\n\r\n",
  );
});

it.each([
  { "a\nb": "c", d: "e" },
  { a: "b\r", d: "e" },
  { a: "b", d: "e\0" },
])("refuses what would end its line, whichever header it is in: %j", (headers) => {
  expect(() => requestHead(TO, headers)).toThrow("cannot be sent");
});

it.each(["/a b", "/a\r\n", "/ä"])("refuses a target that is none: %j", (target) => {
  expect(() => requestHead({ ...TO, target }, { a: "b" })).toThrow("cannot be sent");
});
