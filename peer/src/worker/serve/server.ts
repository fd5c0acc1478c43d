import { SEALED_PATH } from "#protocol/sealed-message";
import { TICKETS_PATH } from "#protocol/ticket";
import { takeTicket } from "../admission/admit";
import { refusal } from "../admission/refusals";
import { type ServeContext, serveRequest } from "./serve-request";

export type NodeServer = {
  readonly port: number;
  /** Listens no more; resolves when all that was asked is answered to its last byte. */
  finish(): Promise<void>;
  /** Breaks what is still open. */
  readonly close: () => Promise<void>;
};

/** Seconds without a byte of a body that was announced. */
const BODY_SILENCE_S = 120;
/** Bun would answer a body beyond its own limit without a word of JSON; the node's limit lies below. */
const RUNTIME_BODY_LIMIT = 2 ** 40;

/** Listens when it returns. Throws what listening throws (`EADDRINUSE`, …). */
export function startNodeServer(
  listen: { readonly host: string; readonly port: number },
  context: ServeContext,
): NodeServer {
  const server = Bun.serve({
    hostname: listen.host,
    port: listen.port,
    // A first token may take minutes; Bun would cut the connection after ten seconds.
    idleTimeout: 0,
    maxRequestBodySize: RUNTIME_BODY_LIMIT,
    fetch: route,
    error: () => refusal("internal"),
  });
  let finishing: Promise<void> | undefined;
  const timer = {
    limit: (request: Request) => server.timeout(request, BODY_SILENCE_S),
    lift: (request: Request) => server.timeout(request, 0),
  };

  function route(request: Request): Response | Promise<Response> {
    const target = targetOf(request.url);
    if (target.startsWith("/v1/")) {
      if (request.method !== "POST") return refusal("method_not_allowed");
      // Nothing is served that is not sealed.
      return target === SEALED_PATH ? serveRequest(context, request, timer) : refusal("not_found");
    }
    if (target === TICKETS_PATH && request.method === "POST") return ticket(request);
    if (target === "/health" && (request.method === "GET" || request.method === "HEAD")) {
      return Response.json({ status: context.gate.availability.closedBy ?? "ok" });
    }
    return refusal("not_found");
  }

  async function ticket(request: Request): Promise<Response> {
    const taken = await takeTicket(context.gate, request.headers, TICKETS_PATH);
    return taken.ok ? new Response(null, { status: 204 }) : refusal(taken.reason);
  }

  return {
    port: server.port ?? listen.port,
    finish: () => (finishing ??= server.stop(false)),
    close: () => server.stop(true),
  };
}

/** Path and query of an absolute URL, as they came. */
function targetOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  return start === -1 ? "/" : url.slice(start);
}
