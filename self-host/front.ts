import { type ProblemCode, problemOf } from "#protocol/problem";
import { MAX_BODY_BYTES } from "#protocol/submit";
import { clientAddress, type TrustedProxies } from "./client-address";
import { postToRuntime } from "./runtime-post";
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
  /** Who may say where a request came from, besides the connection itself. */
  readonly proxies?: TrustedProxies | undefined;
}): { readonly url: string; readonly stop: () => Promise<void> } {
  const server = listen(options.host, options.port, async (request, server) => {
    const { pathname, search } = new URL(request.url);
    // Never by resolving the path against the target: `//other.host/` would name another host.
    const to = new URL(options.runtime.url);
    to.pathname = pathname.replace(/^\/+/, "/");
    to.search = search;
    if (to.pathname.startsWith("/cdn-cgi/")) return refuse("not_found");
    const body = await readAtMost(request, MAX_BODY_BYTES);
    // Refused here: the runtime would answer in front of the unread body, and the answer could be lost.
    if (body === undefined) return refuse("body_too_large");
    const headers = new Headers(request.headers);
    for (const name of request.headers.keys()) {
      if (name.startsWith("cf-") || name.startsWith("mf-")) headers.delete(name);
    }
    const from = server.requestIP(request)?.address ?? "unknown";
    headers.set("cf-connecting-ip", clientAddress(from, request.headers, options.proxies));
    if (request.method === "POST") return postToRuntime(to, headers, body, request.signal);
    return fetch(to, {
      method: request.method,
      headers,
      body: request.body === null ? null : body,
      redirect: "manual",
      // A kept connection may be closed by the runtime in the moment in which it is used again.
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

/** The body, or undefined where it is larger; the rest of a larger one is thrown away unread. */
async function readAtMost(
  request: Request,
  mostBytes: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > mostBytes) return undefined;
  // Where the length was said no more than that comes.
  if (length !== null) return new Uint8Array(await request.arrayBuffer());
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of request.body ?? []) {
    bytes += piece.length;
    if (bytes > mostBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
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
      // Bun would refuse without a word of JSON; bodies are measured while they are read.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      error: () => refuse("internal"),
    });
  } catch (cause) {
    throw new SelfHostError(
      `the coordinator cannot listen on ${hostname}:${port}`,
      "Another program has that port, or the address is not this machine's. Choose another with --port N or --host HOST.",
      { cause },
    );
  }
}
