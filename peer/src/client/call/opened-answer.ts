import { parseSealedHead, SealedAnswerHead } from "#protocol/sealed-message";
import type { DirectionKey } from "../../e2e/aead";
import { createMessageOpener } from "../../e2e/message-opener";
import { type Answer, createAnswer, type IncomingAnswer } from "../../http/answer";

/**
 * The answer inside of a sealed one. It ends as whole only where its sender sealed that end: however its connection ends,
 * what was cut off or changed counts as broken. `undefined`: there is none.
 */
export function openAnswer(
  outer: Answer,
  key: DirectionKey,
  seq: number,
): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    let inner: IncomingAnswer | undefined;
    /** Bytes that are still to come, where their number was told. */
    let missing: number | undefined;
    const connection = {
      pause: () => outer.pause(),
      resume: () => outer.resume(),
      close: () => outer.cut(),
    };
    const opener = createMessageOpener(key, seq, {
      onHead(bytes) {
        const head = parseSealedHead(bytes, SealedAnswerHead);
        if (head === undefined) return false;
        missing = head.length;
        const framing: [string, string] =
          missing === undefined
            ? ["transfer-encoding", "chunked"]
            : ["content-length", String(missing)];
        const headers = [...head.headers, framing];
        inner = createAnswer({ status: head.status, headers, keepsAlive: true }, connection);
        resolve(inner.answer);
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
        inner?.onOver(opener.isWhole && (missing ?? 0) === 0);
        resolve(undefined); // Does nothing where there is an answer.
      },
    });
  });
}
