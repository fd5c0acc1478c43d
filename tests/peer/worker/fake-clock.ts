import type { Clock } from "#peer/clock";

export type FakeClock = Clock & {
  /** Moves time on and runs what is due meanwhile, in order. */
  advance(ms: number): void;
  /** Milliseconds from now at which timers are due. */
  readonly due: readonly number[];
};

export function fakeClock(startMs: number = Date.UTC(2030, 0, 1)): FakeClock {
  let nowMs = startMs;
  let timers: { readonly atMs: number; readonly run: () => void }[] = [];

  return {
    wallMs: () => nowMs,
    steadyMs: () => nowMs,
    after: (ms, run) => {
      const timer = { atMs: nowMs + ms, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    advance(ms) {
      const untilMs = nowMs + ms;
      for (;;) {
        const [next] = timers
          .filter(({ atMs }) => atMs <= untilMs)
          .toSorted((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        timers = timers.filter((each) => each !== next);
        nowMs = Math.max(nowMs, next.atMs);
        next.run();
      }
      nowMs = untilMs;
    },
    get due() {
      return timers.map(({ atMs }) => atMs - nowMs);
    },
  };
}
