import type { Outcome } from "#protocol/outcome";

/** Where an engine is and how to be let in. Neither URL ends with a slash. */
export type EngineTarget = {
  /** The engine's own root; `/health` or `/api/tags` is added to it. */
  readonly rootUrl: string;
  /** What stands for `/v1`: `/chat/completions` is added to it. */
  readonly apiBaseUrl: string;
  /** Sent as a bearer token where the engine wants one. */
  readonly apiKey?: string;
};

export type EngineUrlRefusal = {
  readonly reason: "not_a_url" | "not_http" | "has_credentials" | "has_query";
};

/** Nothing can be dialled at "any address"; what listens there also listens on loopback. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(["0.0.0.0", "[::]", ""]);

/**
 * Reads what people write after `--engine`: `host`, `host:port` or a URL, with or without `/v1`.
 * Without a port, a bare host gets `defaultPort`, a URL its scheme's.
 */
export function parseEngineUrl(
  text: string,
  defaultPort: number,
): Outcome<EngineTarget, EngineUrlRefusal> {
  const trimmed = text.trim();
  const isBare = !trimmed.includes("://");
  const spelled = isBare
    ? `http://${bareHost(trimmed)}`
    : trimmed.replace(/^[^/]*:\/\/(?=[:/]|$)/, "$&127.0.0.1");
  const url = URL.parse(spelled);
  if (url === null) return { ok: false, reason: "not_a_url" };
  if (url.protocol !== "http:" && url.protocol !== "https:")
    return { ok: false, reason: "not_http" };
  if (url.username !== "" || url.password !== "") return { ok: false, reason: "has_credentials" };
  if (url.search !== "" || url.hash !== "") return { ok: false, reason: "has_query" };

  if (ANY_ADDRESS.has(url.hostname)) url.hostname = "127.0.0.1";
  if (isBare && url.port === "" && !/:\d+$/.test(authorityOf(spelled)))
    url.port = String(defaultPort);
  const rootUrl = url.origin + url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "");
  return { ok: true, value: { rootUrl, apiBaseUrl: `${rootUrl}/v1` } };
}

/** Nothing in such a path reads in two ways, and an engine's own URL is spelled plainly already. */
const PLAIN_PATH = /^\/v1(?:\/[\w-]+)+$/;

/**
 * The engine's URL for a request that came in as `/v1/…`, query included; null if the path is not
 * spelled plainly, since `/v1/../api/delete` would leave `/v1` on its way.
 */
export function upstreamUrl(target: EngineTarget, pathAndQuery: string): string | null {
  if (PLAIN_PATH.test(pathAndQuery)) return target.apiBaseUrl + pathAndQuery.slice("/v1".length);
  const path = pathAndQuery.split("?", 1)[0] ?? "";
  if (!path.startsWith("/v1/") || path === "/v1/" || path.includes("//")) return null;
  // Engines differ in whether they decode before they route: no escaped dots, slashes or backslashes.
  if (/%(?:2e|2f|5c)/i.test(path)) return null;
  const url = URL.parse(target.apiBaseUrl + pathAndQuery.slice("/v1".length));
  const basePath = target.apiBaseUrl.slice(target.apiBaseUrl.indexOf("/", "https://".length));
  return url?.pathname === basePath + path.slice("/v1".length) ? url.href : null;
}

function bareHost(text: string): string {
  const isAddressV6 = /^[\da-f:]*:[\da-f:]*:[\da-f:.]*$/i.test(text);
  if (isAddressV6) return `[${text}]`;
  return text.startsWith(":") || text.startsWith("/") || text === "" ? `127.0.0.1${text}` : text;
}

function authorityOf(url: string): string {
  return url.slice(url.indexOf("://") + 3).split("/")[0] ?? "";
}
