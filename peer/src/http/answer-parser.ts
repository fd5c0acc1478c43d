import { type AnswerHead, framingOf, parseHead } from "./answer-head";

/**
 * A view of what came over the wire, nobody else's memory. A Buffer all the way: to make one of a small array, the runtime
 * moves its bytes to memory of their own.
 */
export type Bytes = Buffer<ArrayBuffer>;

export type AnswerEvents = {
  readonly onHead: (head: AnswerHead) => void;
  readonly onBody: (bytes: Bytes) => void;
  /** The answer is whole. `isReusable`: the connection may carry another request. */
  readonly onEnd: (isReusable: boolean) => void;
};

export type AnswerParser = {
  /** From now on what comes is the answer to another POST. */
  again(): void;
  /** False: this is no answer, or more than one; nothing is read after that. */
  push(bytes: Bytes): boolean;
  /** The other side has closed in good order: a body without a length of its own ends here. */
  close(): void;
};

type LineState = "head" | "size" | "afterChunk" | "trailers";
type State = LineState | "length" | "chunk" | "untilClose" | "over";

/** `undefined`: more bytes are needed; `false`: they are wrong. */
type Rest = Bytes | undefined | false;

/** What a line ends with, and the most bytes in front of that. */
const LINES: Readonly<Record<LineState, { readonly mark: string; readonly mostBytes: number }>> = {
  head: { mark: "\r\n\r\n", mostBytes: 64 * 1_024 },
  size: { mark: "\r\n", mostBytes: 4_096 },
  afterChunk: { mark: "\r\n", mostBytes: 2 },
  trailers: { mark: "\r\n", mostBytes: 8_192 },
};

const MOST_TRAILERS = 256;
/** Digits of a size that is read without making text of it: up to 16 MiB. */
const QUICK_DIGITS = 6;
const [RETURN, LINE_FEED] = [13, 10];
const CHUNK_SIZE = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/;

/** Reads the answer to one POST at a time (RFC 9112), however its bytes are cut. What two readers could take in two ways is refused. */
export function createAnswerParser({ onHead, onBody, onEnd }: AnswerEvents): AnswerParser {
  let state: State = "head";
  let bytesLeft = 0;
  let trailers = 0;
  let isReusable = true;
  let answers = 0;
  /** The beginning of a head or a line whose end has not come yet. */
  let kept: Bytes | undefined;

  const end = (): void => {
    state = "over";
    onEnd(isReusable);
  };

  /** False: it is not what has to be there. */
  function take(line: LineState, text: string): boolean {
    switch (line) {
      case "head":
        return takeHead(text);
      case "size":
        return takeSize(text);
      case "afterChunk":
        state = "size";
        return text === "";
      case "trailers":
        trailers += 1;
        if (text === "") end();
        return trailers <= MOST_TRAILERS;
      default:
        return line satisfies never;
    }
  }

  function takeHead(text: string): boolean {
    const head = parseHead(text);
    if (head === undefined) return false;
    // 100 and its like are followed by the real answer. Nobody asked to switch protocols.
    if (head.status < 200) return head.status !== 101;
    const framing = framingOf(head);
    if (framing === undefined) return false;
    isReusable = head.keepsAlive && framing !== "untilClose";
    if (framing === "chunked") state = "size";
    else if (framing === "untilClose") state = "untilClose";
    else {
      state = "length";
      bytesLeft = framing;
    }
    onHead(head);
    if (framing === 0) end();
    return true;
  }

  function takeSize(text: string): boolean {
    const size = CHUNK_SIZE.exec(text)?.[1];
    if (size === undefined) return false;
    bytesLeft = Number.parseInt(size, 16);
    state = bytesLeft === 0 ? "trailers" : "chunk";
    return true;
  }

  /** What is left behind a line. */
  function readLine(bytes: Bytes, line: LineState): Rest {
    const { mark, mostBytes } = LINES[line];
    const all = kept === undefined ? bytes : Buffer.concat([kept, bytes]);
    const at = all.indexOf(mark);
    if ((at < 0 ? all.length : at) > mostBytes) return false;
    if (at < 0) {
      kept = all;
      return undefined;
    }
    kept = undefined;
    return take(line, all.toString("latin1", 0, at)) && behind(all, at + mark.length);
  }

  function readBody(bytes: Bytes): Rest {
    const piece = bytesLeft < bytes.length ? bytes.subarray(0, bytesLeft) : bytes;
    bytesLeft -= piece.length;
    const isChunk = state === "chunk";
    onBody(piece);
    if (bytesLeft === 0 && isChunk) state = "afterChunk";
    else if (bytesLeft === 0) end();
    return behind(bytes, piece.length);
  }

  /**
   * Most chunks lie whole in what came, with their size and the line's end behind them: a token is one. Those are read
   * where they lie; `undefined`: it is no such chunk, and read in its parts.
   */
  function readWholeChunk(bytes: Bytes): Rest {
    let size = 0;
    let at = 0;
    for (; at < QUICK_DIGITS; at += 1) {
      const digit = hexDigit(bytes[at]);
      if (digit === -1) break;
      size = size * 16 + digit;
    }
    const start = at + 2;
    const end = start + size;
    const isWhole =
      size > 0 && isLineEnd(bytes, at) && end + 2 <= bytes.length && isLineEnd(bytes, end);
    if (!isWhole) return undefined;
    onBody(bytes.subarray(start, end));
    return behind(bytes, end + 2);
  }

  function step(bytes: Bytes): Rest {
    switch (state) {
      case "size":
        return (kept === undefined && readWholeChunk(bytes)) || readLine(bytes, "size");
      case "length":
      case "chunk":
        return readBody(bytes);
      case "untilClose":
        onBody(bytes);
        return undefined;
      case "over":
        return false;
      default:
        return readLine(bytes, state);
    }
  }

  return {
    again() {
      state = "head";
      trailers = 0;
      kept = undefined;
      answers += 1;
    },
    push(bytes) {
      const answer = answers;
      let rest: Rest = bytes;
      while (rest !== undefined && rest !== false && rest.length > 0) {
        // What lies behind an answer is none to what was asked after it.
        rest = answer === answers && step(rest);
      }
      if (rest === false) state = "over";
      return rest !== false;
    },
    close() {
      if (state === "untilClose") end();
    },
  };
}

const NOTHING = Buffer.alloc(0);

/** What of these bytes has not been read; mostly all has, and a view of nothing would cost as much as any. */
function behind(bytes: Bytes, at: number): Bytes {
  return at < bytes.length ? bytes.subarray(at) : NOTHING;
}

function isLineEnd(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === RETURN && bytes[at + 1] === LINE_FEED;
}

/** -1: it is none. */
function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
