import type { Catalogue } from "../engines/catalogue";
import type { EngineKind } from "#protocol/model-offer";

/** Who is served at the moment, and who may be. */
export type Capacity = {
  readonly running: number;
  /** Requests served at once, over all engines. */
  readonly limit: number;
  readonly isFull: boolean;
  /** A place for one request on an engine, or null if there is none; the result gives it back, once. */
  take(engineUrl: string): (() => void) | null;
  /** The engines' own limits may have changed. */
  adopt(catalogue: Catalogue): void;
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

/**
 * `chosen`: the operator's `--concurrency`, which counts for all engines together and instead of what they say.
 * `onFlip` is called when the node becomes full, and when it is no longer.
 */
export function createCapacity(chosen: number | undefined, onFlip: () => void): Capacity {
  const runningOn = new Map<string, number>();
  let slots = new Map<string, number>();
  let running = 0;

  const limit = (): number => chosen ?? sum(slots.values());
  const isFull = (): boolean => running >= limit();

  function change(engineUrl: string, by: 1 | -1): void {
    const wasFull = isFull();
    running += by;
    runningOn.set(engineUrl, (runningOn.get(engineUrl) ?? 0) + by);
    if (isFull() !== wasFull) onFlip();
  }

  return {
    get running() {
      return running;
    },
    get limit() {
      return limit();
    },
    get isFull() {
      return isFull();
    },
    take(engineUrl) {
      const own = chosen ?? slots.get(engineUrl) ?? 0;
      if (isFull() || (runningOn.get(engineUrl) ?? 0) >= own) return null;
      change(engineUrl, 1);
      let isHeld = true;
      return () => {
        if (isHeld) change(engineUrl, -1);
        isHeld = false;
      };
    },
    adopt(catalogue) {
      slots = slotsOf(catalogue);
    },
  };
}

function slotsOf(catalogue: Catalogue): Map<string, number> {
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
