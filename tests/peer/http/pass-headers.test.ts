import { expect, it } from "vitest";
import { type HeaderLines, parseHead } from "#peer/http/answer-head";
import { addAnswerHeaders, requestHeaders, requestLines } from "#peer/http/pass-headers";

/** As they are parsed from the wire. */
function headerLines(lines: readonly (readonly [string, string])[]): HeaderLines {
  const text = lines.map(([name, value]) => `${name}: ${value}`).join("\r\n");
  return parseHead(`HTTP/1.1 200 OK\r\n${text}`)?.headers ?? [];
}

it("passes on what belongs to the request, and nothing that names the app, its user or the way here", () => {
  const kept = {
    accept: "text/event-stream",
    "accept-encoding": "gzip, br",
    "anthropic-beta": "a",
    "anthropic-version": "2023-06-01",
    "content-encoding": "zstd",
    "content-type": "application/json",
    "openai-organization": "o",
    originator: "codex",
    "user-agent": "sdk/1",
    "x-session-id": "s",
    "x-stainless-lang": "js",
  };
  const dropped = {
    authorization: "Bearer secret",
    connection: "keep-alive, x-hop",
    cookie: "a=b",
    expect: "100-continue",
    forwarded: "for=1.2.3.4",
    host: "node",
    origin: "https://page.example",
    "proxy-authorization": "x",
    referer: "https://page.example/",
    "sec-fetch-site": "cross-site",
    te: "trailers",
    "transfer-encoding": "chunked",
    "troop-proof": "p",
    "troop-ticket": "t",
    "x-api-key": "secret",
    "x-forwarded-for": "1.2.3.4",
    "x-hop": "1",
  };
  const headers = new Headers({ ...kept, ...dropped });
  expect(requestHeaders(headers, undefined, { length: 12 })).toEqual({
    ...kept,
    "content-length": 12,
  });
  expect(Object.fromEntries(requestLines(headers, new Set()))).toEqual(kept);
  expect(requestLines(headers, new Set(Object.keys(kept)))).toEqual([]);
  expect(requestHeaders(headers, "engine-key", { length: undefined })).toEqual({
    ...kept,
    authorization: "Bearer engine-key",
    "transfer-encoding": "chunked",
  });
});

it("passes an engine's headers back, repeated ones too, but no cookie, no connection and no word of the node's or the client's", () => {
  const lines = headerLines([
    ["Content-Type", "text/event-stream"],
    ["X-Accel-Buffering", "no"],
    ["X-A", "1"],
    ["X-A", "2"],
    ["Content-Encoding", "gzip"],
    ["Retry-After", "7"],
    ["Set-Cookie", "a=b"],
    ["Connection", "x-hop"],
    ["X-Hop", "1"],
    ["Transfer-Encoding", "chunked"],
    ["Troop-Refusal", "node_busy"],
    ["X-Troop-Credits", "0"],
  ]);
  const headers = new Headers();
  addAnswerHeaders(headers, lines);
  expect(Object.fromEntries(headers)).toEqual({
    "content-encoding": "gzip",
    "content-type": "text/event-stream",
    "retry-after": "7",
    "x-a": "1, 2",
    "x-accel-buffering": "no",
  });
});

it("nothing reaches the app that its browser would take for the word of its own address", () => {
  const names = [
    "Access-Control-Allow-Origin",
    "Access-Control-Allow-Credentials",
    "Alt-Svc",
    "Clear-Site-Data",
    "Cross-Origin-Resource-Policy",
    "Link",
    "Location",
    "NEL",
    "Refresh",
    "Report-To",
    "Reporting-Endpoints",
    "Service-Worker-Allowed",
    "Strict-Transport-Security",
    "WWW-Authenticate",
  ];
  const lines = headerLines([...names, "X-Request-Id"].map((name) => [name, "*"]));
  const headers = new Headers();
  addAnswerHeaders(headers, lines);
  expect(Object.fromEntries(headers)).toEqual({ "x-request-id": "*" });
});
