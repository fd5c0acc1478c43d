import type { Outcome } from "#protocol/outcome";
import type { Clock } from "../../clock";
import type { Asker, Capacity } from "./capacity";
import { nextOf, positionOf } from "./fair-order";

/** What a request finds that comes now: its place among those that wait, from 1, and how long that may take. */
export type Ahead = { readonly position: number; readonly waitMs: number };

export type SentAway = {
  readonly reason: "busy" | "user_active" | "draining" | "body_broken";
};

/** Those that wait for a place: a few of each user, and no user before the others. */
export type WaitingLine = {
  readonly size: number;
  /** Nobody more may wait. */
  readonly isFull: boolean;
  /** Of a user that is not known yet: behind all. */
  ahead(asker?: Asker): Ahead;
  /** Resolves with what gives the place back, or with why there is none; a client that leaves is out at once. */
  wait(asker: Asker, forMs: number, left: AbortSignal): Promise<Outcome<() => void, SentAway>>;
  /** There may be a place. */
  serve(): void;
  sendAway(reason: SentAway["reason"]): void;
};

export type WaitingLineOptions = {
  readonly capacity: Pick<Capacity, "take" | "runningOf" | "slotsOf" | "limit" | "usualMs">;
  /** Requests of one user that may wait. */
  readonly eachUser: number;
  readonly clock: Pick<Clock, "after">;
};

/** Over all users: beyond that a client does better elsewhere. */
const MOST_WAITING = 64;
/** A client looks for no longer than so long. */
const MOST_WAIT_MS = 30_000;

type Waiting = Asker & { readonly end: (outcome: Outcome<() => void, SentAway>) => void };

export function createWaitingLine(options: WaitingLineOptions): WaitingLine {
  const { capacity, eachUser, clock } = options;
  const waiting = new Set<Waiting>();

  function waitMs(position: number, slots: number): number {
    return Math.ceil((position * capacity.usualMs) / Math.max(1, slots));
  }
  function countOf(user: string): number {
    let count = 0;
    for (const one of waiting) if (one.user === user) count += 1;
    return count;
  }

  function serve(): void {
    if (waiting.size === 0) return;
    for (const one of waiting) {
      // Its engine is gone.
      if (capacity.slotsOf(one.engineUrl) === 0) one.end({ ok: false, reason: "busy" });
    }
    const passedOver = new Set<Waiting>();
    while (passedOver.size < waiting.size) {
      const open = [...waiting].filter((one) => !passedOver.has(one));
      const next = nextOf(open, capacity.runningOf);
      if (next === undefined) return;
      const release = capacity.take(next);
      if (release === null) passedOver.add(next);
      else next.end({ ok: true, value: release });
    }
  }

  return {
    get size() {
      return waiting.size;
    },
    get isFull() {
      return waiting.size >= MOST_WAITING;
    },
    ahead(asker) {
      if (asker === undefined) {
        const position = waiting.size + 1;
        return { position, waitMs: waitMs(position, capacity.limit) };
      }
      const { engineUrl, user } = asker;
      const there = [...waiting].filter((one) => one.engineUrl === engineUrl);
      const position = positionOf(user, there, capacity.runningOf);
      return { position, waitMs: waitMs(position, capacity.slotsOf(engineUrl)) };
    },
    wait(asker, forMs, left) {
      if (left.aborted) return Promise.resolve({ ok: false, reason: "body_broken" });
      if (waiting.size >= MOST_WAITING || countOf(asker.user) >= eachUser) {
        return Promise.resolve({ ok: false, reason: "busy" });
      }
      return new Promise((resolve) => {
        const one: Waiting = {
          ...asker,
          end(outcome) {
            waiting.delete(one);
            disarm();
            left.removeEventListener("abort", leave);
            resolve(outcome);
          },
        };
        const leave = (): void => one.end({ ok: false, reason: "body_broken" });
        const disarm = clock.after(Math.min(forMs, MOST_WAIT_MS), () =>
          one.end({ ok: false, reason: "busy" }),
        );
        left.addEventListener("abort", leave, { once: true });
        waiting.add(one);
      });
    },
    serve,
    sendAway(reason) {
      for (const one of waiting) one.end({ ok: false, reason });
    },
  };
}
