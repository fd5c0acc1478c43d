/** Holds what one part of the benchmark has started. */
export type Scope = {
  /** Starts something and stops it with the scope, also where the scope ends before it is up. */
  readonly hold: <T>(start: () => Promise<T>, stop: (held: T) => unknown) => Promise<T>;
  /** Tells the person who waits what is being done. */
  readonly say: (line: string) => void;
  /** Stops everything, newest first. */
  readonly end: () => Promise<void>;
};

export function openScope(say: (line: string) => void): Scope {
  const stack = new AsyncDisposableStack();
  return {
    hold(start, stop) {
      if (stack.disposed) throw new Error("the benchmark is being stopped");
      const starting = start();
      stack.defer(async () => {
        // One that did not start has nothing to stop; who asked for it hears of the failure.
        const started = await starting.then(
          (held) => ({ held }),
          () => undefined,
        );
        if (started !== undefined) await stop(started.held);
      });
      return starting;
    },
    say,
    end: () => stack.disposeAsync(),
  };
}
