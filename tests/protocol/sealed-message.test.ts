import { expect, it } from "vitest";
import {
  parseSealedHead,
  SealedAnswerHead,
  sealedHead,
  SealedRequestHead,
} from "#protocol/sealed-message";

/** What is read of an answer's and a request's head with this header. */
function headersRead(line: [name: string, value: string]): unknown[] {
  const headers = [line];
  const asks = { target: "/v1/models", headers, length: 0, hash: "A".repeat(43) };
  return [
    parseSealedHead(sealedHead({ status: 200, headers }), SealedAnswerHead)?.headers,
    parseSealedHead(sealedHead(asks), SealedRequestHead)?.headers,
  ];
}

it("reads a head's headers as they were sealed", () => {
  const line: [string, string] = ["x-a", "caf\u00e9"];
  expect(headersRead(line)).toEqual([[line], [line]]);
});

// The lists of what an app, or an engine, does not get hold names in lower case.
it.each(["Set-Cookie", "set-cookiE", "Access-Control-Allow-Origin", "AUTHORIZATION"])(
  "takes a head for none that writes a name as %s",
  (name) => {
    expect(headersRead([name, "a"])).toEqual([undefined, undefined]);
  },
);

it.each([
  ["", "a"],
  ["x a", "a"],
  ["x-a", "a\r\nset-cookie: b"],
  ["x-a", "\u20ac"],
])("takes a head for none with the header %j: %j", (name, value) => {
  expect(headersRead([name, value])).toEqual([undefined, undefined]);
});
