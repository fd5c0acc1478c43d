/**
 * Aborts at the first of these signals, so that the caller can stop in order; a second one ends the process at once.
 * To be called before anything is started.
 */
export function stopSignal(signals: readonly NodeJS.Signals[]): {
  readonly signal: AbortSignal;
  /** Does what the first signal does. */
  readonly stop: () => void;
} {
  const stopping = new AbortController();
  for (const name of signals) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(1);
      stopping.abort();
    });
  }
  return { signal: stopping.signal, stop: () => stopping.abort() };
}

/** Resolves when it is aborted. */
export function whenAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener("abort", () => done(), { once: true }));
}
