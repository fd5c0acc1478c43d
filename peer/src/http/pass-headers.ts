import { type HeaderLines, headerValue } from "./answer-head";
import type { OutgoingHeaders } from "./request-head";

/** Belong to one connection, not to the request that travels over it (RFC 9110, 7.6.1). */
export const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
] as const;

const NOT_ONWARD: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  // Set anew for the next hop; `expect` was answered here.
  "host",
  "content-length",
  "expect",
  // What the app's user is known by is nobody else's to see; an engine's own key is added instead.
  "authorization",
  "proxy-authorization",
  "x-api-key",
  "api-key",
  "cookie",
  "forwarded",
  "via",
  "x-real-ip",
  // Engines on loopback refuse pages that they don't know (Ollama's 403), and this is no page.
  "origin",
  "referer",
]);

/**
 * Whoever answers keeps its own cookies and connection to itself; the length is counted anew. The rest is for browsers, which
 * would take it for the word of the app's own address: who may read it, what it has to forget, where else to go.
 */
const NOT_BACK: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  "content-length",
  "set-cookie",
  "alt-svc",
  "clear-site-data",
  "link",
  "location",
  "nel",
  "proxy-authenticate",
  "refresh",
  "report-to",
  "reporting-endpoints",
  "service-worker-allowed",
  "strict-transport-security",
  "www-authenticate",
]);

/** What of a request's headers, by lower-case names, goes on; `body` adds how the body is framed. */
export function requestHeaders(
  headers: Iterable<readonly [name: string, value: string]>,
  apiKey: string | undefined,
  body: { readonly length: number | undefined },
): OutgoingHeaders {
  const passed: OutgoingHeaders = {};
  let connection: string | null = null;
  for (const [name, value] of headers) {
    if (name === "connection") connection = listed(connection, value);
    else if (!NOT_ONWARD.has(name) && !isPrivate(name)) passed[name] = listed(passed[name], value);
  }
  for (const name of connectionNames(connection)) delete passed[name];
  if (apiKey !== undefined) passed["authorization"] = `Bearer ${apiKey}`;
  if (body.length === undefined) passed["transfer-encoding"] = "chunked";
  else passed["content-length"] = body.length;
  return passed;
}

/** The same of an app's request, as lines; none of `besides`. */
export function requestLines(
  headers: Headers,
  besides: ReadonlySet<string>,
): [name: string, value: string][] {
  const own = connectionNames(headers.get("connection"));
  const passed: [string, string][] = [];
  // An iterator takes the runtime three times as long.
  headers.forEach((value, name) => {
    const isLeft = NOT_ONWARD.has(name) || besides.has(name) || own.has(name) || isPrivate(name);
    if (!isLeft) passed.push([name, value]);
  });
  return passed;
}

function listed(before: string | number | null | undefined, value: string): string {
  return before === null || before === undefined ? value : `${before}, ${value}`;
}

/** What of an answer's headers goes back, repeated ones included. */
export function answerLines(lines: HeaderLines): [name: string, value: string][] {
  const own = connectionNames(headerValue(lines, "connection") ?? null);
  const passed: [string, string][] = [];
  for (const [name, value] of lines) {
    if (!isNotForTheApp(name) && !own.has(name)) passed.push([name, value]);
  }
  return passed;
}

/** The same, added to an app's `headers`. */
export function addAnswerHeaders(headers: Headers, lines: HeaderLines): void {
  const own = connectionNames(headerValue(lines, "connection") ?? null);
  // One by one: a list of them takes the runtime half as long again.
  for (const [name, value] of lines) {
    if (!isNotForTheApp(name) && !own.has(name)) headers.append(name, value);
  }
}

function isNotForTheApp(name: string): boolean {
  return NOT_BACK.has(name) || isOfAKindNotBack(name);
}

/** Only the node itself says `troop-…`, and only the client `x-troop-…`. */
function isOfAKindNotBack(name: string): boolean {
  return (
    name.startsWith("troop-") ||
    name.startsWith("x-troop-") ||
    name.startsWith("access-control-") ||
    name.startsWith("cross-origin-")
  );
}

function isPrivate(name: string): boolean {
  return name.startsWith("troop-") || name.startsWith("sec-") || name.startsWith("x-forwarded-");
}

const NONE: ReadonlySet<string> = new Set();

/** Names that `Connection` declares to be this connection's alone. */
function connectionNames(connection: string | null): ReadonlySet<string> {
  if (connection === null || connection === "keep-alive") return NONE;
  return new Set(connection.split(",").map((name) => name.trim().toLowerCase()));
}
