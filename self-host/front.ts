import { SelfHostError } from "./self-host-error";

/** Bytes of a request that the front passes on; the coordinator itself takes less. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/**
 * The door of a self-hosted coordinator. Miniflare is made for development: it believes a client's
 * `CF-Connecting-IP` and `MF-*` headers and serves handlers under `/cdn-cgi/`. None of that passes here.
 */
export function startFront(options: {
  readonly host: string;
  readonly port: number;
  /** Where Miniflare listens; its URL may come later, while the port is already taken. */
  readonly runtime: { url: URL };
}): { readonly url: string; readonly stop: () => Promise<void> } {
  const server = listen(options.host, options.port, async (request, server) => {
    const url = new URL(request.url);
    if (url.pathname.startsWith("/cdn-cgi/")) return new Response(null, { status: 404 });
    const headers = new Headers(request.headers);
    for (const name of request.headers.keys()) {
      if (name.startsWith("cf-") || name.startsWith("mf-")) headers.delete(name);
    }
    headers.set("cf-connecting-ip", server.requestIP(request)?.address ?? "unknown");
    return fetch(new URL(url.pathname + url.search, options.runtime.url), {
      method: request.method,
      headers,
      body: request.body === null ? null : await request.arrayBuffer(),
      redirect: "manual",
      // As it is, whatever its encoding: nothing is unpacked on the way.
      decompress: false,
      signal: request.signal,
    });
  });
  return {
    url: `http://${options.host.includes(":") ? `[${options.host}]` : options.host}:${server.port}`,
    stop: () => server.stop(true),
  };
}

function listen(
  hostname: string,
  port: number,
  fetch: (request: Request, server: Bun.Server<undefined>) => Promise<Response>,
): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname,
      port,
      fetch,
      maxRequestBodySize: MAX_BODY_BYTES,
      error: () => new Response(null, { status: 502 }),
    });
  } catch (cause) {
    throw new SelfHostError(
      `the coordinator cannot listen on ${hostname}:${port}`,
      "Another program has that port, or the address is not this machine's. Choose another port.",
      { cause },
    );
  }
}
