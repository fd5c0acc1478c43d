import { type Address, addressOf } from "./address";
import { type Answer, createAnswer, type IncomingAnswer } from "./answer";
import { type Connection, connect } from "./connection";
import { type ConnectionPool, createConnectionPool } from "./connection-pool";
import { type OutgoingHeaders, requestHead } from "./request-head";

/** What is sent: all of it at hand, or as it comes. */
export type OutgoingBody =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  | {
      readonly kind: "streamed";
      readonly length: number | undefined;
      /** What it throws takes the request back: it never becomes whole. */
      readonly chunks: AsyncIterable<Uint8Array>;
      /** The chunks can be had from the start once more, where a connection turns out to be closed. */
      readonly isRepeatable?: boolean;
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

type Called =
  | { readonly ok: true; readonly value: Answer }
  | ({ readonly ok: false } & CallRefusal);

export type HttpCall = {
  /** Resolves with the head of the answer; never rejects. */
  readonly answer: Promise<Called>;
  /** Ends the request at once, whether or not it was answered. */
  readonly cut: () => void;
};

export type OutgoingPost = {
  readonly url: string;
  readonly headers: OutgoingHeaders;
  readonly body: OutgoingBody;
  /** Milliseconds that connecting may take. */
  readonly connectWithinMs?: number;
};

export type CallerOptions = {
  /** Milliseconds that a connection is kept for another request. */
  readonly idleMs: number;
  /** Whether a request is sent again on a new connection where a kept one turns out to be closed. */
  readonly sendsAgain: boolean;
};

const CONNECT_WITHIN_MS = 5_000;
/** Small bodies leave together with the head, in one packet where they fit. */
const ONE_WRITE_BYTES = 16 * 1_024;

/** To nodes and engines. Kept for less than the minute after which routers and servers tend to forget a silent connection. */
export const callHttp = createCaller({ idleMs: 50_000, sendsAgain: true });

/** Makes a `callHttp` with connections of its own. */
export function createCaller({
  idleMs,
  sendsAgain,
}: CallerOptions): (post: OutgoingPost) => HttpCall {
  const pool = createConnectionPool(() => performance.now(), idleMs);
  return (post) => call(post, pool, sendsAgain);
}

/**
 * One POST over HTTP/1.1. `fetch` would not do: Bun lets only so many run at once, in one queue for the process. Nor
 * would `node:http`, which costs a hop twice what this does (docs/decisions/0008). Bytes and headers pass as they come;
 * nothing is followed, unpacked or timed out but connecting. Throws where a header or the path cannot be sent.
 */
function call(post: OutgoingPost, pool: ConnectionPool, sendsAgain: boolean): HttpCall {
  const address = addressOf(post.url);
  const { origin } = address;
  const head = requestHead(address, post.headers);
  /** Carries this request; once that is over it may carry another's. */
  let current: Connection | undefined;
  let isCut = false;

  async function run(): Promise<Called> {
    for (;;) {
      const used = pool.take(origin);
      const withinMs = post.connectWithinMs ?? CONNECT_WITHIN_MS;
      const connection = used ?? (await connect(address.url, withinMs));
      if (isCut) {
        if (connection !== undefined) pool.give(origin, connection);
        return { ok: false, reason: "cut" };
      }
      if (connection === undefined) return { ok: false, reason: "unreachable" };
      current = connection;
      const over = (): void => {
        current = undefined;
      };
      const answer = await exchange(pool, address, connection, head, post.body, over);
      if (answer.ok || isCut) return isCut && !answer.ok ? { ok: false, reason: "cut" } : answer;
      // An engine may close an idle connection in the moment in which it is used again (vLLM's after 5 s).
      const isStale = answer.reason === "broke" && used !== undefined && sendsAgain;
      if (!isStale || !isRepeatable(post.body)) return answer;
    }
  }

  return {
    answer: run(),
    cut: () => {
      isCut = true;
      current?.close();
    },
  };
}

function isRepeatable(body: OutgoingBody): boolean {
  return body.kind === "whole" || body.isRepeatable === true;
}

function exchange(
  pool: ConnectionPool,
  { origin }: Address,
  connection: Connection,
  head: string,
  body: OutgoingBody,
  over: () => void,
): Promise<Called> {
  return new Promise((resolve) => {
    let incoming: IncomingAnswer | undefined;
    let isSent = false;
    connection.begin({
      onHead(head) {
        incoming = createAnswer(head, connection);
        resolve({ ok: true, value: incoming.answer });
      },
      onBody: (bytes) => incoming?.onBody(bytes),
      onEnd(isReusable) {
        over();
        incoming?.onOver(true);
        // An answer that came before the whole request leaves the rest of it in the way of the next one.
        if (isReusable && isSent && connection.isFlushed) pool.give(origin, connection);
        else connection.close();
      },
      onBroken() {
        over();
        incoming?.onOver(false);
        resolve({ ok: false, reason: "broke" });
      },
    });
    if (body.kind === "whole") {
      sendWhole(connection, head, body.bytes);
      isSent = true;
      return;
    }
    connection.send(Buffer.from(head, "latin1"));
    const sent = sendChunks(connection, body).then(() => {
      isSent = true;
      return undefined;
    });
    sent.catch((error: unknown) => {
      resolve({ ok: false, reason: "body", error });
      connection.close();
    });
  });
}

function sendWhole(connection: Connection, head: string, bytes: Uint8Array): void {
  if (bytes.length <= ONE_WRITE_BYTES) {
    const message = Buffer.allocUnsafe(head.length + bytes.length);
    message.write(head, 0, "latin1");
    message.set(bytes, head.length);
    connection.send(message);
    return;
  }
  connection.send(Buffer.from(head, "latin1"));
  connection.send(bytes);
}

async function sendChunks(
  connection: Connection,
  { length, chunks }: Extract<OutgoingBody, { kind: "streamed" }>,
): Promise<void> {
  let bytes = 0;
  for await (const chunk of chunks) {
    // It was answered and left, or it broke: nobody wants the rest.
    if (!connection.isOpen) return;
    bytes += chunk.length;
    if (chunk.length === 0) continue;
    if (length === undefined) connection.send(Buffer.from(`${chunk.length.toString(16)}\r\n`));
    connection.send(chunk);
    if (length === undefined) connection.send(CRLF);
    await connection.flushed();
  }
  if (length === undefined) connection.send(LAST_CHUNK);
  // The other side would wait for what was announced.
  else if (bytes !== length) connection.close();
}

const CRLF = Buffer.from("\r\n");
const LAST_CHUNK = Buffer.from("0\r\n\r\n");
