/** A timer that comes later than this shows that the process itself was held up. */
const LATE_MS = 20;
/** Enough for one look at what came meanwhile. */
const LOOK_MS = 1;

/**
 * Runs `run` after `ms`, unless the result is called before. What came in time counts, also where this process was too
 * busy to look at it: a thousand connections that are opened at once can hold it up for longer than each of them may take.
 */
export function deadline(ms: number, run: () => void): () => void {
  let timer: ReturnType<typeof setTimeout>;
  function arm(waitMs: number, then: () => void): void {
    const dueMs = performance.now() + waitMs;
    timer = setTimeout(() => {
      if (performance.now() - dueMs > LATE_MS) arm(ms, then);
      else then();
    }, waitMs);
  }
  arm(ms, () => arm(LOOK_MS, run));
  return () => clearTimeout(timer);
}
