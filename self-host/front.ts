import { type ProblemCode, problemOf } from "#protocol/problem";
import { MAX_BODY_BYTES } from "#protocol/submit";
import { SelfHostError } from "./self-host-error";

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
    const body = request.body === null ? null : await request.arrayBuffer();
    // Refused here: the runtime would answer in front of the unread body, and the answer could be lost.
    if (body !== null && body.byteLength > MAX_BODY_BYTES) return refuse("body_too_large");
    const headers = new Headers(request.headers);
    for (const name of request.headers.keys()) {
      if (name.startsWith("cf-") || name.startsWith("mf-")) headers.delete(name);
    }
    headers.set("cf-connecting-ip", server.requestIP(request)?.address ?? "unknown");
    return fetch(new URL(url.pathname + url.search, options.runtime.url), {
      method: request.method,
      headers,
      body,
      redirect: "manual",
      // A kept connection may be closed by the runtime in the moment in which it is used again, and a POST that
      // failed so must not be sent twice.
      keepalive: false,
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

function refuse(code: ProblemCode): Response {
  const requestId = crypto.randomUUID();
  const problem = problemOf(code, requestId);
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { "content-type": "application/problem+json", "x-request-id": requestId },
  });
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
      maxRequestBodySize: 2 * MAX_BODY_BYTES,
      error: () => refuse("internal"),
    });
  } catch (cause) {
    throw new SelfHostError(
      `the coordinator cannot listen on ${hostname}:${port}`,
      "Another program has that port, or the address is not this machine's. Choose another port.",
      { cause },
    );
  }
}
