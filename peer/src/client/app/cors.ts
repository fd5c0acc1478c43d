const LOOPBACK_HOST = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\]|(?:[a-z0-9-]+\.)+localhost)$/i;

/** By such a name a container knows the machine that it runs on: host.docker.internal. No page has one. */
const CONTAINERS_HOST = /^host\.[a-z]+\.internal$/i;

/**
 * Whether the `Host` of a request is a name of this endpoint. A page elsewhere can make its own name resolve to
 * 127.0.0.1 and then read what it likes; the browser still sends that name here. Who sends none is no browser, but a
 * program that speaks HTTP/1.0.
 */
export function isOwnHost(hostHeader: string | null, listening: string): boolean {
  if (hostHeader === null) return true;
  const host = hostHeader.replace(/:\d+$/, "");
  if (LOOPBACK_HOST.test(host) || CONTAINERS_HOST.test(host)) return true;
  // Listening beyond loopback was the user's choice; then its address is a name too.
  const isAny = listening === "0.0.0.0" || listening === "::";
  return isAny ? isAddress(host) : host.replace(/^\[|\]$/g, "") === listening;
}

function isAddress(host: string): boolean {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(host) || host.startsWith("[");
}

/** Origins of programs on this machine that show pages of their own (Electron, Tauri, editors); no web page has one. */
const APP_SCHEMES: ReadonlySet<string> = new Set([
  "app:",
  "capacitor:",
  "file:",
  "tauri:",
  "vscode-file:",
  "vscode-webview:",
]);

/** Pages that may use the endpoint: those served from this machine, those of its programs, and of `allowed` origins. */
export function isAllowedOrigin(origin: string, allowed: ReadonlySet<string>): boolean {
  if (allowed.has(origin)) return true;
  const url = URL.parse(origin);
  if (url === null) return false;
  if (APP_SCHEMES.has(url.protocol)) return true;
  // Browsers send an origin and nothing else: a name and password in front of the host are somebody's trick.
  return (
    url.origin === origin && /^https?:$/.test(url.protocol) && LOOPBACK_HOST.test(url.hostname)
  );
}

/** What a browser asks before it sends a request from another origin. */
export function preflight(request: Request, origin: string): Response {
  const asked = request.headers.get("access-control-request-headers");
  return new Response(null, {
    status: 204,
    headers: {
      ...corsHeaders(origin),
      "access-control-allow-methods": "GET, HEAD, POST, OPTIONS",
      "access-control-max-age": "600",
      ...(asked !== null && { "access-control-allow-headers": asked }),
      ...(request.headers.get("access-control-request-private-network") === "true" && {
        "access-control-allow-private-network": "true",
      }),
    },
  });
}

export function corsHeaders(origin: string): Record<string, string> {
  return {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "*",
    vary: "origin",
  };
}
