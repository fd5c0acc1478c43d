import { connect, type Socket } from "node:net";
import { declaredFraming, headerValue, type HttpHead, httpParser } from "./http-parser";

export type HttpRequest = {
  readonly method: string;
  /** Path and query, sent exactly so. */
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Sends the body in chunks of this size instead of with a Content-Length. */
  readonly chunkBytes?: number;
};

export type HttpAnswer = {
  readonly status: number;
  readonly headers: HttpHead["headers"];
  readonly body: Buffer;
  /** False when the connection broke before the answer's end. */
  readonly isComplete: boolean;
  /** Whether the server asked for the body with "100 Continue". */
  readonly sawContinue: boolean;
};

export type Exchange = {
  /** Resolves when the whole answer is there, or the connection is gone. */
  readonly answer: Promise<HttpAnswer>;
  /** Resolves when what has arrived of the body satisfies the condition; rejects when it never will. */
  readonly bodyReaches: (condition: (body: string) => boolean) => Promise<void>;
  /** How many times body bytes arrived separately. */
  readonly arrivals: () => number;
  /** Leaves without a word, as a closed app does. */
  readonly abort: () => void;
};

/** How long a client waits for "100 Continue" before it sends the body anyway; curl's figure. */
const CONTINUE_PATIENCE_MS = 1_000;

/** Sends one request on a connection of its own. */
export function openExchange(baseUrl: string, request: HttpRequest): Exchange {
  const { hostname, port } = new URL(baseUrl);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const exchange = exchangeOn(socket, `${hostname}:${port}`, request);
  const close = (): void => void socket.destroy();
  exchange.answer.then(close, close);
  return exchange;
}

/** Sends one request and waits for all of the answer. */
export function exchange(baseUrl: string, request: HttpRequest): Promise<HttpAnswer> {
  return openExchange(baseUrl, request).answer;
}

/** Sends requests one after another on a single kept-alive connection. */
export async function exchangesOnOneConnection(
  baseUrl: string,
  requests: readonly HttpRequest[],
): Promise<HttpAnswer[]> {
  const { hostname, port } = new URL(baseUrl);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  const answers: HttpAnswer[] = [];
  try {
    for (const request of requests) {
      answers.push(await exchangeOn(socket, `${hostname}:${port}`, request).answer);
    }
  } finally {
    socket.destroy();
  }
  return answers;
}

function exchangeOn(socket: Socket, host: string, request: HttpRequest): Exchange {
  const done = Promise.withResolvers<HttpAnswer>();
  const watchers = new Set<() => void>();
  const pieces: Buffer[] = [];
  let head: HttpHead | null = null;
  let sawContinue = false;

  const finish = (isComplete: boolean): void => {
    socket.removeAllListeners();
    // A late reset must not become an uncaught error.
    socket.on("error", () => undefined);
    if (head === null) done.reject(new Error("the connection ended before an answer"));
    else {
      const status = Number(head.startLine.split(" ")[1]);
      const body = Buffer.concat(pieces);
      done.resolve({ status, headers: head.headers, body, isComplete, sawContinue });
    }
    for (const notify of watchers) notify();
  };
  const parser = httpParser((answer) => answerFraming(answer, request.method), {
    onHead: (received) => {
      if (received.startLine.startsWith("HTTP/1.1 100")) {
        sawContinue = true;
        sendBodyOnce();
      } else head = received;
    },
    onBody: (bytes) => {
      pieces.push(Buffer.from(bytes));
      for (const notify of watchers) notify();
    },
    onEnd: () => finish(true),
  });
  const sendBodyOnce = once(() => sendBody(socket, request));

  socket.on("data", (bytes: Buffer) => parser.push(bytes));
  socket.on("error", () => finish(false));
  socket.on("close", () => {
    parser.close();
    finish(false);
  });
  socket.write(encodeHead(host, request));
  if (request.headers?.["expect"] === undefined) sendBodyOnce();
  else setTimeout(sendBodyOnce, CONTINUE_PATIENCE_MS);

  let isOver = false;
  const over = (): void => void (isOver = true);
  done.promise.then(over, over);
  return {
    answer: done.promise,
    arrivals: () => pieces.length,
    abort: () => void socket.destroy(),
    bodyReaches: (condition) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const body = Buffer.concat(pieces).toString();
          if (condition(body)) resolve();
          else if (isOver || socket.destroyed) reject(new Error("the answer ended before that"));
          else return;
          watchers.delete(check);
        };
        watchers.add(check);
        check();
      }),
  };
}

function answerFraming(head: HttpHead, method: string): number | "chunked" | "untilClose" {
  const status = Number(head.startLine.split(" ")[1]);
  if (method === "HEAD" || status === 204 || status === 304) return 0;
  return declaredFraming(head) ?? "untilClose";
}

function encodeHead(host: string, request: HttpRequest): string {
  const { method, target, headers = {}, body, chunkBytes } = request;
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (chunkBytes !== undefined) lines.push("Transfer-Encoding: chunked");
  else if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  return `${lines.join("\r\n")}\r\n\r\n`;
}

function sendBody(socket: Socket, { body, chunkBytes }: HttpRequest): void {
  if (body === undefined || socket.destroyed) return;
  if (chunkBytes === undefined) {
    socket.write(body);
    return;
  }
  for (let offset = 0; offset < body.length; offset += chunkBytes) {
    const chunk = body.subarray(offset, offset + chunkBytes);
    socket.write(`${chunk.length.toString(16)}\r\n`);
    socket.write(chunk);
    socket.write("\r\n");
  }
  socket.write("0\r\n\r\n");
}

function once(action: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    action();
  };
}

/** The header's value as text, or "" where it is missing. */
export function answerHeader(answer: HttpAnswer, name: string): string {
  return headerValue(answer, name) ?? "";
}
