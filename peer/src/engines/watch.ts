import { buildCatalogue, type Catalogue, sameCatalogue } from "./catalogue";
import type { DetectedEngine, MissingEngine } from "./detect";
import type { EngineMemory } from "./driver";
import type { EngineCandidate } from "./engine-env";
import { type Look, lookAt, unwatched, type WatchedEngine } from "./watched-engine";

/** Where time comes from; tests bring their own. */
export type WatchClock = {
  nowMs(): number;
  /** Runs `run` once; the result cancels. */
  after(ms: number, run: () => void): () => void;
};

export type WatchOptions = {
  readonly candidates: readonly EngineCandidate[];
  /** How often models are read anew. */
  readonly refreshMs?: number;
  /** How often engines are looked after in between. */
  readonly pollMs?: number;
  /** Called with every catalogue that differs from the one before; not with the first one. */
  readonly onChange: (catalogue: Catalogue) => void;
  readonly clock?: WatchClock;
  /** Whether a model is to be lent; all are unless this says otherwise. */
  readonly isOffered?: (modelId: string) => boolean;
};

export type EngineWatch = {
  catalogue(): Catalogue;
  engines(): readonly DetectedEngine[];
  missing(): readonly MissingEngine[];
  /** Looks at once, for instance when a request failed to connect; calls meanwhile share one look. */
  refreshNow(): Promise<void>;
  /** Resolves when no look is under way. */
  settled(): Promise<void>;
  /** Ends everything under way; no timer is left when it resolves. */
  stop(): Promise<void>;
};

const REFRESH_MS = 180_000;
const POLL_MS = 5_000;

const systemClock: WatchClock = {
  nowMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** Finds the engines, then keeps watching them; resolves after the first look. Never throws. */
export async function watchEngines(options: WatchOptions): Promise<EngineWatch> {
  const { candidates, refreshMs = REFRESH_MS, pollMs = POLL_MS, onChange } = options;
  const { isOffered = () => true } = options;
  const clock = options.clock ?? systemClock;
  const stopping = new AbortController();
  const memories = new Map<EngineCandidate, EngineMemory>();
  let watched: readonly WatchedEngine[] = candidates.map(unwatched);
  let catalogue = buildCatalogue([]);
  let lastFullMs = -Infinity;
  let forgetTimer = (): void => {};
  let running: Promise<void> | null = null;
  let queued: Promise<void> | null = null;

  async function look(kind: Look): Promise<boolean> {
    if (kind === "full") lastFullMs = clock.nowMs();
    const next = await Promise.all(
      watched.map((each) =>
        lookAt(each, kind, memoryOf(each.candidate), { signal: stopping.signal }),
      ),
    );
    // What a look finds while everything is being stopped is only that: stopped.
    if (stopping.signal.aborted) return false;
    watched = next;
    const fresh = buildCatalogue(
      next.flatMap(({ engine, offers, loading }) =>
        engine === null
          ? []
          : [
              {
                engine,
                offers: offers.filter(({ id }) => isOffered(id)),
                loading: loading.filter(isOffered),
              },
            ],
      ),
    );
    if (sameCatalogue(catalogue, fresh)) return false;
    catalogue = fresh;
    return true;
  }

  function memoryOf(candidate: EngineCandidate): EngineMemory {
    const memory = memories.get(candidate) ?? new Map<string, number>();
    memories.set(candidate, memory);
    return memory;
  }

  async function lookAndTell(kind: Look): Promise<void> {
    forgetTimer();
    try {
      if (await look(kind)) onChange(catalogue);
    } finally {
      arm();
    }
  }

  function arm(): void {
    if (stopping.signal.aborted) return;
    const untilFullMs = Math.max(0, lastFullMs + refreshMs - clock.nowMs());
    forgetTimer = clock.after(Math.min(pollMs, untilFullMs), () => {
      const isFull = clock.nowMs() - lastFullMs >= refreshMs;
      void start(isFull ? "full" : "poll");
    });
  }

  function start(kind: Look): Promise<void> {
    const pass = lookAndTell(kind).finally(() => {
      running = null;
    });
    running = pass;
    return pass;
  }

  async function refreshNow(): Promise<void> {
    if (stopping.signal.aborted) return undefined;
    if (running === null) return start("full");
    // The look under way may have asked before whatever happened now: one more follows it.
    queued ??= running.then(() => {
      queued = null;
      return stopping.signal.aborted ? undefined : start("full");
    });
    return queued;
  }

  async function settled(): Promise<void> {
    const pending = queued ?? running;
    if (pending === null) return;
    await pending;
    await settled();
  }

  await look("full");
  arm();
  return {
    catalogue: () => catalogue,
    engines: () => watched.flatMap(({ engine }) => engine ?? []),
    missing: () => watched.flatMap(({ missing }) => missing ?? []),
    refreshNow,
    settled,
    async stop() {
      stopping.abort();
      forgetTimer();
      await settled();
    },
  };
}
