import type { Answer } from "./answer";
import type { Bytes } from "./answer-parser";

/** All of an answer's body. `broken`: it broke off; `too_long`: it has more than `mostBytes`, and was left. */
export function wholeBody(
  answer: Answer,
  mostBytes: number = Infinity,
): Promise<Bytes | "broken" | "too_long"> {
  return new Promise((resolve) => {
    const pieces: Bytes[] = [];
    let bytes = 0;
    answer.read({
      onData(piece) {
        bytes += piece.length;
        if (bytes <= mostBytes) {
          pieces.push(piece);
          return;
        }
        resolve("too_long");
        answer.cut();
      },
      onEnd: (isWhole) => resolve(isWhole ? Buffer.concat(pieces) : "broken"),
    });
  });
}
