import { parseSealedHead, SealedAnswerHead } from "#protocol/sealed-message";
import type { DirectionKey } from "../../e2e/aead";
import { createMessageOpener } from "../../e2e/message-opener";
import { type Answer, createAnswer, type IncomingAnswer } from "../../http/answer";

/**
 * The answer inside of a sealed one. It ends as whole only where its sender sealed that end: however its connection ends,
 * what was cut off or changed counts as broken. `undefined`: there is none. Where its head has come already, it is there at once.
 */
export function openAnswer(
  outer: Answer,
  key: DirectionKey,
  seq: number,
): Answer | undefined | Promise<Answer | undefined> {
  let inner: IncomingAnswer | undefined;
  let isOver = false;
  let tell: (answer: Answer | undefined) => void = () => {};
  /** Bytes that are still to come, where their number was told. */
  let missing: number | undefined;
  const connection = { pause: outer.pause, resume: outer.resume, close: outer.cut };
  const opener = createMessageOpener(key, seq, {
    onHead(bytes) {
      const head = parseSealedHead(bytes, SealedAnswerHead);
      if (head === undefined) return false;
      const { status, headers } = head;
      missing = head.length;
      headers.push(
        missing === undefined
          ? ["transfer-encoding", "chunked"]
          : ["content-length", String(missing)],
      );
      inner = createAnswer({ status, headers, keepsAlive: true }, connection);
      tell(inner.answer);
      return true;
    },
    onBody(bytes) {
      if (missing !== undefined) missing -= bytes.length;
      inner?.onBody(bytes);
    },
  });
  outer.read({
    onData(bytes) {
      if (!opener.push(bytes)) outer.cut();
    },
    onEnd() {
      isOver = true;
      inner?.onOver(opener.isWhole && (missing ?? 0) === 0);
      tell(undefined); // Does nothing where there is an answer.
    },
  });
  if (inner !== undefined || isOver) return inner?.answer;
  return new Promise((resolve) => {
    tell = resolve;
  });
}
