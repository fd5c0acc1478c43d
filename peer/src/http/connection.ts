import { checkServerIdentity } from "node:tls";
import type { Socket, SocketHandler } from "bun";
import { deadline } from "./deadline";
import { type AnswerEvents, type Bytes, createAnswerParser } from "./answer-parser";

/** What happens to one request on a connection. */
export type Exchange = AnswerEvents & {
  /** The connection ended, or what came was no answer, before the answer was whole. */
  readonly onBroken: () => void;
};

/** An open connection that carries one request at a time. */
export type Connection = {
  readonly isOpen: boolean;
  /** Nothing waits to be sent. */
  readonly isFlushed: boolean;
  /** What comes from now on is an answer to this one. */
  begin(exchange: Exchange): void;
  send(bytes: Uint8Array): void;
  /** Resolves when the other side can take more, or never will. */
  flushed(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Ends it at once. */
  close(): void;
};

/** Connects to the host of an `http:` or `https:` URL; `undefined` where nobody, or somebody else, answers in time. */
export function connect(url: URL, withinMs: number): Promise<Connection | undefined> {
  const isTls = url.protocol === "https:";
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port) || (isTls ? 443 : 80);

  return new Promise((resolve) => {
    let socket: Socket | undefined;
    let current: Exchange | undefined;
    let unsent: Uint8Array | undefined;
    let waiting: (() => void)[] = [];
    let isOpen = false;
    let isOver = false;

    function wake(): void {
      for (const go of waiting) go();
      waiting = [];
    }
    function over(): void {
      if (isOver) return;
      isOver = true;
      isOpen = false;
      unsent = undefined;
      inTime();
      resolve(undefined);
      const exchange = current;
      current = undefined;
      exchange?.onBroken();
      wake();
    }
    function close(): void {
      socket?.terminate();
      over();
    }
    function opened(): void {
      isOpen = true;
      inTime();
      resolve(connection);
    }
    function write(bytes: Uint8Array): void {
      const written = socket?.write(bytes) ?? 0;
      if (written < bytes.length) unsent = bytes.subarray(Math.max(0, written));
    }

    /** One for all of its answers: it is as large as all that is made for one. */
    const parser = createAnswerParser({
      onHead: (head) => current?.onHead(head),
      onBody: (bytes) => current?.onBody(bytes),
      onEnd(isReusable) {
        const exchange = current;
        current = undefined;
        exchange?.onEnd(isReusable);
      },
    });
    const connection: Connection = {
      get isOpen() {
        return isOpen;
      },
      get isFlushed() {
        return unsent === undefined;
      },
      begin(exchange) {
        current = exchange;
        parser.again();
      },
      send(bytes) {
        if (!isOpen) return;
        if (unsent === undefined) write(bytes);
        else unsent = Buffer.concat([unsent, bytes]);
      },
      flushed: () =>
        unsent === undefined ? Promise.resolve() : new Promise((go) => void waiting.push(go)),
      pause() {
        socket?.pause();
      },
      resume() {
        socket?.resume();
      },
      close,
    };

    const handler: SocketHandler<undefined> = {
      open(one) {
        socket = one;
        // It came too late.
        if (isOver) one.terminate();
        one.setNoDelay(true);
        if (!isTls) opened();
      },
      handshake(one, isTrusted) {
        const isWho = isTrusted && !checkServerIdentity(hostname, one.getPeerCertificate());
        if (isWho && !isOver) opened();
        else close();
      },
      data(_, bytes) {
        // Between two requests nothing may come.
        if (current === undefined || !parser.push(bytes as Bytes)) close();
      },
      drain() {
        if (unsent === undefined) return;
        const bytes = unsent;
        unsent = undefined;
        write(bytes);
        if (unsent === undefined) wake();
      },
      end: () => parser.close(),
      close: over,
      error: close,
      connectError: over,
    };
    const inTime = deadline(withinMs, close);
    const tls = isTls ? { tls: { serverName: hostname } } : {};
    Bun.connect({ hostname, port, socket: handler, ...tls }).catch(over);
  });
}
