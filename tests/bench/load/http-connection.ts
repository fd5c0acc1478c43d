import { declaredFraming, httpParser } from "../../conformance/http-parser";

export type Answer = {
  readonly status: number;
  /** Milliseconds from sending the request to the first byte of the body, and to the end of the answer. */
  readonly firstByteMs: number;
  readonly endMs: number;
};

/** One kept-alive HTTP/1.1 connection; made for as little work as possible in the process that measures. */
export type Connection = {
  /** Sends a whole request and waits for the end of its answer; one at a time. Rejects where the connection breaks. */
  readonly send: (request: Uint8Array, onBody?: (bytes: Uint8Array) => void) => Promise<Answer>;
  /** False once either side has closed it. */
  readonly isOpen: boolean;
  readonly close: () => void;
};

type Exchange = {
  readonly sentMs: number;
  readonly onBody: ((bytes: Uint8Array) => void) | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  status: number;
  firstByteMs: number;
};

/** A server that has not ended its answer in this time never will. */
const LONGEST_ANSWER_S = 120;

export async function openConnection(url: string): Promise<Connection> {
  const { hostname, port } = new URL(url);
  let current: Exchange | undefined;
  let unsent: Uint8Array = new Uint8Array();
  let isOpen = true;

  const parser = httpParser((head) => declaredFraming(head) ?? 0, {
    onHead({ startLine }) {
      if (current !== undefined) current.status = Number(startLine.slice("HTTP/1.1 ".length, 12));
    },
    onBody(bytes) {
      if (current === undefined) return;
      if (current.firstByteMs === 0) current.firstByteMs = performance.now() - current.sentMs;
      current.onBody?.(bytes);
    },
    onEnd() {
      const exchange = current;
      current = undefined;
      if (exchange === undefined) return;
      const { status, firstByteMs, sentMs } = exchange;
      exchange.resolve({ status, firstByteMs, endMs: performance.now() - sentMs });
    },
  });
  const broke = (): void => {
    isOpen = false;
    current?.reject(new Error(`an answer from ${url} did not come to its end`));
    current = undefined;
  };
  const socket = await Bun.connect({
    hostname,
    port: Number(port),
    socket: {
      data: (_socket, bytes) => parser.push(bytes),
      drain(open) {
        unsent = unsent.subarray(Math.max(0, open.write(unsent)));
      },
      timeout(open) {
        broke();
        open.terminate();
      },
      close: broke,
      error: broke,
    },
  });
  socket.setNoDelay(true);

  return {
    send: (request, onBody) =>
      new Promise((resolve, reject) => {
        if (!isOpen) throw new Error(`the connection to ${url} is closed`);
        socket.timeout(LONGEST_ANSWER_S);
        current = { sentMs: performance.now(), onBody, resolve, reject, status: 0, firstByteMs: 0 };
        unsent = request.subarray(Math.max(0, socket.write(request)));
      }),
    get isOpen() {
      return isOpen;
    },
    close: () => void socket.end(),
  };
}

/** The bytes of a `POST` with a JSON body, as an app would send them. */
export function postBytes(url: string, path: string, body: object): Uint8Array {
  const json = JSON.stringify(body);
  const { host } = new URL(url);
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: ${host}`,
    "content-type: application/json",
    "accept: application/json, text/event-stream",
    "authorization: Bearer sk-bench",
    "user-agent: troop-bench",
    `content-length: ${Buffer.byteLength(json)}`,
  ];
  return Buffer.from(`${head.join("\r\n")}\r\n\r\n${json}`);
}
