import { expect, it } from "vitest";
import { isAllowedOrigin, isOwnHost } from "#peer/client/app/cors";

const NONE: ReadonlySet<string> = new Set();

it.each([
  "localhost",
  "localhost:9000",
  "LOCALHOST:9000",
  "127.0.0.1:9000",
  "127.1.2.3",
  "[::1]:9000",
  "app.localhost:9000",
  "host.docker.internal:9000",
  "host.containers.internal",
  // HTTP/1.0 knows no hosts, and browsers don't speak it.
  null,
])("knows itself as %s", (host) => {
  expect(isOwnHost(host, "127.0.0.1")).toBe(true);
});

it.each([
  "",
  "evil.example",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "evil.example:9000",
  "192.168.1.5:9000",
  "[::2]:9000",
  "host.docker.internal.evil.example",
  "evil.internal",
  "myhost.docker.internal",
])("does not answer to %s", (host) => {
  expect(isOwnHost(host, "127.0.0.1")).toBe(false);
});

it("answers to the address that the user chose, and to any address where that is all of them", () => {
  expect(isOwnHost("192.168.1.5:9000", "192.168.1.5")).toBe(true);
  expect(isOwnHost("[fd7a::1]:9000", "fd7a::1")).toBe(true);
  expect(isOwnHost("192.168.1.5:9000", "0.0.0.0")).toBe(true);
  expect(isOwnHost("evil.example:9000", "0.0.0.0")).toBe(false);
});

it.each([
  "http://localhost:3000",
  "https://localhost",
  "http://127.0.0.1:8080",
  "http://[::1]",
  "http://chat.localhost",
  "app://obsidian.md",
  "vscode-webview://abc",
  "tauri://localhost",
])("lets pages of %s ask", (origin) => {
  expect(isAllowedOrigin(origin, NONE)).toBe(true);
});

it("lets pages of another origin ask where the user has named it, and of no other", () => {
  const allowed = new Set(["chrome-extension://abc", "http://192.168.1.5:3000"]);
  for (const origin of allowed) expect(isAllowedOrigin(origin, allowed)).toBe(true);
  expect(isAllowedOrigin("http://192.168.1.5:3001", allowed)).toBe(false);
  expect(isAllowedOrigin("null", allowed)).toBe(false);
});

it.each([
  "null",
  "",
  "https://evil.example",
  "https://localhost.evil.example",
  "http://127.0.0.1.evil.example",
  "chrome-extension://abc",
])("lets no page of %s ask", (origin) => {
  expect(isAllowedOrigin(origin, NONE)).toBe(false);
});
