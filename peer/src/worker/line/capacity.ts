import type { EngineKind } from "#protocol/model-offer";
import type { Clock } from "../../clock";
import type { Catalogue } from "../../engines/catalogue";

/** Who asks for a place, and where. */
export type Asker = {
  readonly engineUrl: string;
  /** Who pays. */
  readonly user: string;
};

/** Who is served at the moment, and who may be. */
export type Capacity = {
  readonly running: number;
  /** Requests served at once, over all engines. */
  readonly limit: number;
  readonly isFull: boolean;
  /** How long a request holds its place, lately. */
  readonly usualMs: number;
  runningOf(user: string): number;
  /** Requests that one engine serves at once. */
  slotsOf(engineUrl: string): number;
  /** A place for one request on an engine, or null if there is none; the result gives it back, once. */
  take(asker: Asker): (() => void) | null;
  /** The engines' own limits may have changed. */
  adopt(catalogue: Catalogue): void;
};

export type CapacityOptions = {
  /** The operator's `--concurrency`, which counts for all engines together and instead of what they say. */
  readonly total?: number | undefined;
  /** The operator's `--per-user`; without it one user may have all. */
  readonly perUser?: number | undefined;
  readonly clock: Pick<Clock, "steadyMs">;
  /** The node became full, or is no longer. */
  readonly onFlip: () => void;
  /** A place may be free that was not. */
  readonly onFree: () => void;
};

/**
 * How many an engine serves at once where it doesn't say. vLLM batches by the dozen; Ollama's and LM Studio's
 * defaults are 1 to 4, and both queue what is more.
 */
const USUAL_SLOTS: Readonly<Record<EngineKind, number>> = {
  vllm: 64,
  llamacpp: 4,
  ollama: 4,
  lmstudio: 4,
  openai: 4,
};
/** Until a request has ended. */
const FIRST_USUAL_MS = 1_000;
/** Share of a request's time in the average. */
const WEIGHT = 0.2;

export function createCapacity(options: CapacityOptions): Capacity {
  const { total, perUser = Infinity, clock, onFlip, onFree } = options;
  const runningOn = new Map<string, number>();
  const runningOf = new Map<string, number>();
  let slots = new Map<string, number>();
  let running = 0;
  let usualMs = FIRST_USUAL_MS;

  let limit = total ?? 0;
  const isFull = (): boolean => running >= limit;
  const slotsOf = (engineUrl: string): number => total ?? slots.get(engineUrl) ?? 0;

  function change({ engineUrl, user }: Asker, by: 1 | -1): void {
    const wasFull = isFull();
    running += by;
    add(runningOn, engineUrl, by);
    add(runningOf, user, by);
    if (isFull() !== wasFull) onFlip();
  }

  return {
    get running() {
      return running;
    },
    get limit() {
      return limit;
    },
    get isFull() {
      return isFull();
    },
    get usualMs() {
      return usualMs;
    },
    runningOf: (user) => runningOf.get(user) ?? 0,
    slotsOf,
    take(asker) {
      const { engineUrl, user } = asker;
      if (isFull() || (runningOn.get(engineUrl) ?? 0) >= slotsOf(engineUrl)) return null;
      if ((runningOf.get(user) ?? 0) >= perUser) return null;
      change(asker, 1);
      const startMs = clock.steadyMs();
      let isHeld = true;
      return () => {
        if (!isHeld) return;
        isHeld = false;
        usualMs += WEIGHT * (clock.steadyMs() - startMs - usualMs);
        change(asker, -1);
        onFree();
      };
    },
    adopt(catalogue) {
      slots = slotsIn(catalogue);
      limit = total ?? sum(slots.values());
      onFree();
    },
  };
}

/** Who has none is forgotten: users come and go. */
function add(counts: Map<string, number>, key: string, by: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}

function slotsIn(catalogue: Catalogue): Map<string, number> {
  const slots = new Map<string, number>();
  for (const { id } of catalogue.offers) {
    const route = catalogue.resolve(id);
    if (route === null) continue;
    const { engine, offer } = route;
    const own = offer.slots ?? USUAL_SLOTS[engine.kind];
    slots.set(engine.target.rootUrl, Math.max(own, slots.get(engine.target.rootUrl) ?? 0));
  }
  return slots;
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
