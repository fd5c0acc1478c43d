import type { DemoSettings } from "./settings";

/** Who is being served; a slot is free again as soon as its holder lets go. */
export type Slots = {
  readonly busy: number;
  readonly waiting: number;
  /** The ids of the slots in use, for llama.cpp's `/slots`. */
  busyIds(): ReadonlySet<number>;
  /** A slot at once, or null when none is free. */
  take(): Slot | null;
  /** A slot when one frees up; null when the queue is full or the asker left. */
  queue(signal: AbortSignal): Promise<Slot | null>;
};

export type Slot = { readonly id: number; free(): void };

type Waiter = { give(slot: Slot): void };

export function createSlots(settings: DemoSettings): Slots {
  const used = new Set<number>();
  const freed: number[] = [];
  const waiters = new Set<Waiter>();
  let nextId = 0;

  function occupy(): Slot {
    const id = freed.pop() ?? nextId++;
    used.add(id);
    let held = true;
    return {
      id,
      free() {
        if (!held) return;
        held = false;
        used.delete(id);
        freed.push(id);
        serveNext();
      },
    };
  }

  function serveNext(): void {
    const [next] = waiters;
    if (next === undefined || used.size >= settings.slots) return;
    waiters.delete(next);
    next.give(occupy());
  }

  return {
    get busy() {
      return used.size;
    },
    get waiting() {
      return waiters.size;
    },
    busyIds: () => used,
    take: () => (used.size < settings.slots ? occupy() : null),
    queue(signal) {
      if (waiters.size >= settings.queueLimit || signal.aborted) return Promise.resolve(null);
      return new Promise((resolve) => {
        // Only this waiter leaves: another one's place must not depend on it.
        const onAbort = (): void => {
          waiters.delete(waiter);
          resolve(null);
        };
        const waiter: Waiter = {
          give(slot) {
            signal.removeEventListener("abort", onAbort);
            resolve(slot);
          },
        };
        waiters.add(waiter);
        signal.addEventListener("abort", onAbort, { once: true });
      });
    },
  };
}
