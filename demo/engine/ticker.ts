/** Runs `run` once at or soon after its time; `cancel` forgets it. */
export type Ticker = {
  at(dueMs: number, run: () => void): () => void;
  stop(): void;
};

type Entry = { dueMs: number; run: (() => void) | null };

/** Streams share wake-ups on this grid, so a thousand of them don't cost a thousand timers. */
const GRID_MS = 2;

/** One timer for any number of waits; times are `performance.now()` milliseconds. */
export function startTicker(): Ticker {
  const buckets = new Map<number, Entry[]>();
  const heap: number[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  let armedFor = Infinity;

  function arm(): void {
    const next = heap[0];
    if (next === undefined || next >= armedFor) return;
    if (timer !== null) clearTimeout(timer);
    armedFor = next;
    timer = setTimeout(wake, Math.max(0, next * GRID_MS - performance.now()));
  }

  function wake(): void {
    timer = null;
    armedFor = Infinity;
    const nowSlot = Math.floor(performance.now() / GRID_MS);
    for (let slot = heap[0]; slot !== undefined && slot <= nowSlot; slot = heap[0]) {
      popSlot(heap);
      const entries = buckets.get(slot) ?? [];
      buckets.delete(slot);
      for (const entry of entries) entry.run?.();
    }
    arm();
  }

  return {
    at(dueMs, run) {
      const slot = Math.ceil(dueMs / GRID_MS);
      const entry: Entry = { dueMs, run };
      const bucket = buckets.get(slot);
      if (bucket === undefined) {
        buckets.set(slot, [entry]);
        pushSlot(heap, slot);
        arm();
      } else {
        bucket.push(entry);
      }
      return () => {
        entry.run = null;
      };
    },
    stop() {
      if (timer !== null) clearTimeout(timer);
      timer = null;
      buckets.clear();
      heap.length = 0;
    },
  };
}

/** Waits, or ends early with `false` when the signal aborts. */
export function wait(ticker: Ticker, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const onAbort = (): void => {
      cancel();
      resolve(false);
    };
    const cancel = ticker.at(performance.now() + ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

function pushSlot(heap: number[], slot: number): void {
  let at = heap.push(slot) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((heap[parent] ?? 0) <= slot) break;
    heap[at] = heap[parent] ?? 0;
    at = parent;
  }
  heap[at] = slot;
}

function popSlot(heap: number[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if ((heap[child + 1] ?? Infinity) < (heap[child] ?? Infinity)) child += 1;
    const least = heap[child] ?? Infinity;
    if (least >= last) break;
    heap[at] = least;
    at = child;
  }
  heap[at] = last;
}
