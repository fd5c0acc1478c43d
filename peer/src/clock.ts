/** Where a worker's and a client's time comes from; tests bring their own. */
export type Clock = {
  /** Unix milliseconds, for what others read. */
  readonly wallMs: () => number;
  /** Milliseconds that no change of the machine's clock moves, for durations. */
  readonly steadyMs: () => number;
  /** Runs `run` once; the result cancels. It does not keep the process alive. */
  readonly after: (ms: number, run: () => void) => () => void;
};

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  steadyMs: () => performance.now(),
  after: (ms, run) => {
    // Longer ones would fire at once: a timer counts in 31 bits.
    const timer = setTimeout(run, Math.min(ms, 2 ** 31 - 1));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
