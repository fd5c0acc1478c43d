import { ProofYielded } from "./device";

/** Stops a run where it may be stopped: what is bound has to be opened, or it looks like hiding something. */
export type StopBetween = {
  /** For the run and its device; aborts as the outer one does, but not within `whole`. */
  readonly signal: AbortSignal;
  /** Carries out something that takes moments to its end. Throws `ProofYielded` where the run was stopped before. */
  readonly whole: <Value>(work: () => Promise<Value>) => Promise<Value>;
  /** Listens no more. */
  readonly end: () => void;
};

export function stopBetween(outer: AbortSignal): StopBetween {
  const inner = new AbortController();
  let isBound = false;
  const stop = (): void => {
    if (outer.aborted && !isBound) inner.abort();
  };
  outer.addEventListener("abort", stop);
  stop();
  return {
    signal: inner.signal,
    async whole(work) {
      if (inner.signal.aborted) throw new ProofYielded("The run was stopped.");
      isBound = true;
      try {
        return await work();
      } finally {
        isBound = false;
        stop();
      }
    },
    end: () => outer.removeEventListener("abort", stop),
  };
}
