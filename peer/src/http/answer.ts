import { type AnswerHead, type HeaderLines, headerValue } from "./answer-head";
import type { Bytes } from "./answer-parser";
import type { Connection } from "./connection";

/** Who reads a body. */
export type BodyReader = {
  readonly onData: (bytes: Bytes) => void;
  /** Once, behind the last byte. False: it broke off. */
  readonly onEnd: (isWhole: boolean) => void;
};

/** An answer whose head has come. Its body waits, and its sender after some of it, until somebody reads. */
export type Answer = {
  readonly status: number;
  readonly headers: HeaderLines;
  /** All values of a header; `undefined` where it is absent. */
  header(name: string): string | undefined;
  /** True when there is a first byte or an end to read, false where it broke off before. */
  hasBegun(): boolean | Promise<boolean>;
  /** All of the body has come. */
  readonly isWhole: boolean;
  /** What has come first of the body and nobody has read. */
  peek(): Bytes | undefined;
  /** The whole body, where it has come already; it is read with that. */
  takeWhole(): Bytes | undefined;
  /** Once; what has come already is given at once. */
  read(reader: BodyReader): void;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Leaves it: whatever is still to come is not wanted. The reader hears no more than its end. */
  readonly cut: () => void;
};

/** The side of an answer that its bytes come in by. */
export type IncomingAnswer = {
  readonly answer: Answer;
  onBody(bytes: Bytes): void;
  onOver(isWhole: boolean): void;
};

/** Bytes that wait for a reader before the sender has to wait, too. */
const UNREAD_BYTES = 64 * 1_024;

/** Reads what has been read. */
const NOBODY: BodyReader = { onData() {}, onEnd() {} };

/** `connection`: what the answer comes by. */
export function createAnswer(
  head: AnswerHead,
  connection: Pick<Connection, "pause" | "resume" | "close">,
): IncomingAnswer {
  let reader: BodyReader | undefined;
  let unread: Bytes[] = [];
  let unreadBytes = 0;
  let isPaused = false;
  let isOver = false;
  let waiting: (() => void)[] | undefined;

  const hasCome = (): boolean => unreadBytes > 0 || answer.isWhole;
  function wake(): void {
    if (waiting === undefined) return;
    for (const go of waiting) go();
    waiting = undefined;
  }
  function pause(): void {
    // One that is whole belongs to another request.
    if (isPaused || isOver) return;
    isPaused = true;
    connection.pause();
  }
  function resume(): void {
    if (!isPaused) return;
    isPaused = false;
    if (!isOver) connection.resume();
  }

  const answer: Answer & { isWhole: boolean } = {
    status: head.status,
    headers: head.headers,
    header: (name) => headerValue(head.headers, name),
    hasBegun() {
      if (isOver || unreadBytes > 0) return hasCome();
      return new Promise((go) => void (waiting ??= []).push(() => go(hasCome())));
    },
    // No getter: each would be made anew for each answer.
    isWhole: false,
    peek: () => unread[0],
    takeWhole() {
      if (!answer.isWhole || reader !== undefined) return undefined;
      const pieces = unread;
      answer.read(NOBODY);
      const [only] = pieces;
      return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces);
    },
    read(next) {
      if (reader !== undefined) throw new Error("An answer is read once.");
      reader = next;
      const pieces = unread;
      unread = [];
      unreadBytes = 0;
      resume();
      for (const piece of pieces) next.onData(piece);
      if (isOver) next.onEnd(answer.isWhole);
    },
    pause,
    resume,
    cut() {
      if (!isOver) connection.close();
    },
  };

  return {
    answer,
    onBody(bytes) {
      if (reader !== undefined) {
        reader.onData(bytes);
        return;
      }
      unread.push(bytes);
      unreadBytes += bytes.length;
      if (unreadBytes >= UNREAD_BYTES) pause();
      wake();
    },
    onOver(isWhole) {
      if (isOver) return;
      if (isWhole && isPaused) connection.resume();
      isOver = true;
      answer.isWhole = isWhole;
      reader?.onEnd(isWhole);
      wake();
    },
  };
}
