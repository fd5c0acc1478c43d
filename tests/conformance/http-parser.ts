export type HttpHead = {
  /** The request line or the status line. */
  readonly startLine: string;
  /** In order, with the names as they were written. */
  readonly headers: readonly (readonly [name: string, value: string])[];
};

export type HttpParserEvents = {
  readonly onHead: (head: HttpHead) => void;
  readonly onBody: (bytes: Uint8Array) => void;
  readonly onEnd: () => void;
};

export type HttpParser = {
  readonly push: (bytes: Uint8Array) => void;
  /** The connection ended; a body that has no length of its own ends here. */
  readonly close: () => void;
};

/** How the body's end is found: a number is the bytes still to come. */
type Framing = number | "chunked" | "untilClose";
type State = "head" | "length" | "chunkSize" | "chunkData" | "chunkEnd" | "trailers" | "untilClose";

const CRLF = Buffer.from("\r\n");
const BLANK_LINE = Buffer.from("\r\n\r\n");

/**
 * Reads HTTP/1.1 messages one after another. Written here because ready clients decompress, merge,
 * rename or follow, and this harness has to see what was sent.
 */
export function httpParser(
  framingOf: (head: HttpHead) => Framing,
  { onHead, onBody, onEnd }: HttpParserEvents,
): HttpParser {
  let pending: Buffer = Buffer.alloc(0);
  let state: State = "head";
  let bytesLeft = 0;

  const takeUntil = (mark: Buffer): string | null => {
    const index = pending.indexOf(mark);
    if (index < 0) return null;
    const text = pending.toString("latin1", 0, index);
    pending = pending.subarray(index + mark.length);
    return text;
  };
  const endMessage = (): void => {
    state = "head";
    onEnd();
  };
  const startBody = (framing: Framing): void => {
    if (framing === "untilClose") state = "untilClose";
    else if (framing === "chunked") state = "chunkSize";
    else if (framing === 0) endMessage();
    else {
      state = "length";
      bytesLeft = framing;
    }
  };
  const takeBody = (): boolean => {
    const piece = pending.subarray(0, bytesLeft);
    pending = pending.subarray(piece.length);
    bytesLeft -= piece.length;
    if (piece.length > 0) onBody(piece);
    return bytesLeft === 0;
  };

  /** Advances by one step; false when more bytes are needed. */
  const step = (): boolean => {
    switch (state) {
      case "head": {
        const text = takeUntil(BLANK_LINE);
        if (text === null) return false;
        const head = parseHead(text);
        onHead(head);
        // 100 and its like are followed by the real answer.
        if (!/^HTTP\/1\.1 1\d\d/.test(head.startLine)) startBody(framingOf(head));
        return true;
      }
      case "length":
        if (!takeBody()) return false;
        endMessage();
        return true;
      case "chunkSize": {
        const text = takeUntil(CRLF);
        if (text === null) return false;
        bytesLeft = Number.parseInt(text, 16);
        if (Number.isNaN(bytesLeft)) throw new Error("a chunk without a size");
        state = bytesLeft === 0 ? "trailers" : "chunkData";
        return true;
      }
      case "chunkData":
        if (!takeBody()) return false;
        state = "chunkEnd";
        return true;
      case "chunkEnd":
        if (takeUntil(CRLF) === null) return false;
        state = "chunkSize";
        return true;
      case "trailers": {
        const line = takeUntil(CRLF);
        if (line === "") endMessage();
        return line !== null;
      }
      default:
        // Until the connection closes.
        bytesLeft = pending.length;
        takeBody();
        return false;
    }
  };

  return {
    push: (bytes) => {
      pending = pending.length === 0 ? Buffer.from(bytes) : Buffer.concat([pending, bytes]);
      while (pending.length > 0 && step());
    },
    close: () => {
      if (state === "untilClose") endMessage();
    },
  };
}

export function headerValue(head: Pick<HttpHead, "headers">, name: string): string | undefined {
  return head.headers.find(([key]) => key.toLowerCase() === name)?.[1];
}

/** The framing that both requests and answers may carry; null when they carry none. */
export function declaredFraming(head: HttpHead): Framing | null {
  if (headerValue(head, "transfer-encoding")?.toLowerCase() === "chunked") return "chunked";
  const length = headerValue(head, "content-length");
  return length === undefined ? null : Number(length);
}

function parseHead(text: string): HttpHead {
  const [startLine = "", ...lines] = text.split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  return { startLine, headers };
}
