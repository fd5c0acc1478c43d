import { type Answer, createAnswer } from "../../http/answer";

/** Beyond this the app gets it as it comes; below what makes the node wait. */
const MOST_HELD_BYTES = 48 * 1_024;

/** JSON that has begun to come and is not whole: half of it is of no use to anybody. */
export function isHalfJson(answer: Answer): boolean {
  return !answer.isWhole && answer.header("content-type")?.startsWith("application/json") === true;
}

/**
 * The same answer when it is whole, or has become long; `undefined`: it broke off before that, and the app, which has got
 * nothing of it, can still be told so in the shape of its API. `heard` is called with each piece until then.
 */
export function holdJson(answer: Answer, heard: () => void): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const { status, headers } = answer;
    const connection = { pause: answer.pause, resume: answer.resume, close: answer.cut };
    const held = createAnswer({ status, headers, keepsAlive: true }, connection);
    let bytes = 0;
    answer.read({
      onData(piece) {
        if (bytes < MOST_HELD_BYTES) heard();
        bytes += piece.length;
        held.onBody(piece);
        if (bytes >= MOST_HELD_BYTES) resolve(held.answer);
      },
      onEnd(isWhole) {
        held.onOver(isWhole);
        resolve(isWhole ? held.answer : undefined); // Does nothing where it has become long.
      },
    });
  });
}
