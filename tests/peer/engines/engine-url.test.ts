import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseEngineUrl, upstreamUrl } from "#peer/engines/engine-url";

describe("an engine's URL", () => {
  it.each([
    ["http://127.0.0.1:11434", "http://127.0.0.1:11434"],
    ["http://127.0.0.1:11434/", "http://127.0.0.1:11434"],
    ["http://localhost:8000/v1", "http://localhost:8000"],
    ["http://localhost:8000/v1/", "http://localhost:8000"],
    ["https://gpu.example.com", "https://gpu.example.com"],
    ["https://gpu.example.com/llm/v1", "https://gpu.example.com/llm"],
    ["gpu", "http://gpu:11434"],
    ["gpu:9", "http://gpu:9"],
    ["gpu:80", "http://gpu"],
    ["gpu/llm", "http://gpu:11434/llm"],
    [":8080", "http://127.0.0.1:8080"],
    ["0.0.0.0", "http://127.0.0.1:11434"],
    ["0.0.0.0:9", "http://127.0.0.1:9"],
    ["http://0.0.0.0:9", "http://127.0.0.1:9"],
    ["http://:9", "http://127.0.0.1:9"],
    ["http://gpu/a:///b", "http://gpu/a:///b"],
    ["[::]:9", "http://127.0.0.1:9"],
    ["[::1]:9", "http://[::1]:9"],
    ["::1", "http://[::1]:11434"],
    ["  gpu:9  ", "http://gpu:9"],
  ])("%s is %s", (text, rootUrl) => {
    expect(parseEngineUrl(text, 11_434)).toEqual({
      ok: true,
      value: { rootUrl, apiBaseUrl: `${rootUrl}/v1` },
    });
  });

  it.each([
    ["ftp://gpu", "not_http"],
    ["unix:///run/x", "not_http"],
    ["http://user:secret@gpu", "has_credentials"],
    ["http://gpu/v1?key=secret", "has_query"],
    ["http://gpu:99999", "not_a_url"],
    ["g pu", "not_a_url"],
  ])("%s is refused: %s", (text, reason) => {
    expect(parseEngineUrl(text, 80)).toEqual({ ok: false, reason });
  });

  it("is stable: what it became is read as the same again", () => {
    fc.assert(
      fc.property(fc.webUrl(), fc.integer({ min: 1, max: 65_535 }), (url, port) => {
        const first = parseEngineUrl(url, port);
        if (first.ok) expect(parseEngineUrl(first.value.apiBaseUrl, port)).toEqual(first);
      }),
      { numRuns: 50 },
    );
  });
});

describe("where a request goes", () => {
  const target = { rootUrl: "http://127.0.0.1:1/llm", apiBaseUrl: "http://127.0.0.1:1/llm/v1" };

  it.each([
    ["/v1/chat/completions", "http://127.0.0.1:1/llm/v1/chat/completions"],
    ["/v1/messages?beta=true", "http://127.0.0.1:1/llm/v1/messages?beta=true"],
    ["/v1/models/org/m:1b", "http://127.0.0.1:1/llm/v1/models/org/m:1b"],
  ])("%s goes to %s", (path, url) => {
    expect(upstreamUrl(target, path)).toBe(url);
  });

  it.each([
    "/v1",
    "/v2/x",
    "/api/delete",
    "/v1/../api/delete",
    "/v1/..%2fapi/delete",
    "/v1/%2e%2e/api/delete",
    "/v1/.%2E/api/delete",
    "/v1/a/../../api/delete",
    "/v1/\\..\\..\\api/delete",
    "/v1/..\\api",
    "/v1//evil.example/x",
    "/v1/%5c..%5capi",
    "//evil.example/v1/x",
    "/v1/",
    "/v1/.",
    "/v1/./chat/completions",
    "/v1/chat/completions/..",
    "/v1/..",
  ])("%s goes nowhere", (path) => {
    expect(upstreamUrl(target, path)).toBeNull();
  });

  it("is always below the engine's /v1, whatever the path", () => {
    const part = fc.constantFrom(
      "..",
      ".",
      "%2e",
      "%2E%2e",
      "/",
      "\\",
      "@",
      "#",
      "?",
      "a",
      ":",
      "%2f",
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        const url = upstreamUrl(target, `/v1/${parts.join("")}`);
        if (url === null) return;
        const { origin, pathname } = new URL(url);
        expect(origin).toBe("http://127.0.0.1:1");
        expect(pathname.startsWith("/llm/v1/")).toBe(true);
        const segments = decodeURIComponent(pathname).split(/[/\\]/);
        expect(segments.filter((segment) => /^\.{1,2}$/.test(segment))).toEqual([]);
      }),
    );
  });
});
