import { createCrowd } from "../crowd";

/** Called about once a second: what happens each so many seconds, without a timer for every request. */
export type Ticks = {
  /** Calls `run` after so many ticks, then each `everyTicks`, until it is ended. */
  begin(firstTicks: number, everyTicks: number, run: () => void): Waiting;
  readonly tick: () => void;
};

export type Waiting = {
  /** From here on it is `everyTicks` until the next call. */
  readonly again: () => void;
  readonly end: () => void;
};

export function createTicks(): Ticks {
  type One = { left: number; readonly run: () => void; readonly everyTicks: number };
  const waiting = createCrowd<One>();

  return {
    begin(firstTicks, everyTicks, run) {
      const one: One = { left: firstTicks, run, everyTicks };
      const place = waiting.enter(one);
      return {
        again() {
          one.left = everyTicks;
        },
        end() {
          // Another one's turn in the same tick may have ended it.
          one.left = Infinity;
          waiting.leave(place);
        },
      };
    },
    tick() {
      for (const one of waiting.all()) {
        one.left -= 1;
        if (one.left > 0) continue;
        one.left = one.everyTicks;
        one.run();
      }
    },
  };
}
