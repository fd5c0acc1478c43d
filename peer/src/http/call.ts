import http, {
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from "node:http";
import https from "node:https";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

/** What is sent: all of it at hand, or as it comes. */
export type OutgoingBody =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  | {
      readonly kind: "streamed";
      readonly length: number | undefined;
      /** What it throws takes the request back: it never becomes whole. */
      readonly chunks: AsyncIterable<Uint8Array>;
    };

/**
 * Why there is no answer. `unreachable`: the other side never got the request. `broke`: it had the request, or part of
 * it. `body`: the body's `chunks` threw `error`. `cut`: it was ended from here.
 */
export type CallRefusal =
  | { readonly reason: "unreachable" }
  | { readonly reason: "broke" }
  | { readonly reason: "body"; readonly error: unknown }
  | { readonly reason: "cut" };

export type HttpCall = {
  /** Resolves with the head of the answer; never rejects. */
  readonly answer: Promise<
    { readonly ok: true; readonly value: IncomingMessage } | ({ readonly ok: false } & CallRefusal)
  >;
  /** Ends the request at once, whether or not it was answered. */
  readonly cut: () => void;
};

export type OutgoingPost = {
  readonly url: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body: OutgoingBody;
};

/**
 * `fetch` would not do: Bun lets only so many run at once, in one queue for the process, and takes the limit from the
 * environment alone. `node:http` has none, passes bytes and headers on as they come, and never follows, unpacks or
 * times out.
 */
const httpAgent = new http.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 256 });
const httpsAgent = new https.Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 256 });

const CONNECT_WITHIN_MS = 5_000;
const NOT_REACHED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ETIMEDOUT",
]);

/** One POST. */
export function callHttp(post: OutgoingPost): HttpCall {
  let current: ClientRequest | undefined;
  let isCut = false;

  async function run(): Promise<Awaited<HttpCall["answer"]>> {
    for (;;) {
      const sent = send(post);
      current = sent.request;
      const answer = await sent.answer;
      if (answer.ok) return answer;
      if (isCut) return { ok: false, reason: "cut" };
      // An engine may close an idle connection in the moment in which it is used again (vLLM's after 5 s).
      const isStale = answer.reason === "broke" && sent.request.reusedSocket;
      if (!isStale || post.body.kind !== "whole") return answer;
    }
  }

  return {
    answer: run(),
    cut: () => {
      isCut = true;
      current?.destroy();
    },
  };
}

function send({ url, headers, body }: OutgoingPost): {
  readonly request: ClientRequest;
  readonly answer: HttpCall["answer"];
} {
  const isTls = url.startsWith("https:");
  // A body that passes by cannot be sent twice, so it gets a connection that cannot be stale.
  const agent = body.kind === "whole" && (isTls ? httpsAgent : httpAgent);
  const request = (isTls ? https : http).request(url, { method: "POST", headers, agent });
  let hasConnected = false;
  let failed: { readonly error: unknown } | undefined;
  request.once("socket", (socket) => {
    hasConnected = !socket.connecting;
    if (hasConnected) return;
    const timer = setTimeout(() => request.destroy(), CONNECT_WITHIN_MS);
    socket.once("connect", () => {
      hasConnected = true;
    });
    for (const end of ["connect", "close"]) socket.once(end, () => clearTimeout(timer));
  });

  const answer: HttpCall["answer"] = new Promise((resolve) => {
    request.once("response", (message) => resolve({ ok: true, value: message }));
    // Stays: what fails after the answer's head is told by the message.
    request.on("error", (error: NodeJS.ErrnoException) => {
      const isLost = !hasConnected || NOT_REACHED.has(error.code ?? "");
      const why = { reason: isLost ? "unreachable" : "broke" } as const;
      resolve({ ok: false, ...(failed === undefined ? why : { reason: "body", ...failed }) });
    });
    if (body.kind === "whole") {
      request.end(body.bytes);
    } else {
      const chunks = noting(body.chunks, (error) => {
        failed = { error };
      });
      // Destroys the request, so that it never becomes whole, where the body turns out wrong or breaks off; that the
      // request failed is told above.
      pipeline(Readable.from(chunks), request).catch(() => {});
    }
  });
  return { request, answer };
}

async function* noting(
  chunks: AsyncIterable<Uint8Array>,
  note: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    yield* chunks;
  } catch (error) {
    note(error);
    throw error;
  }
}
