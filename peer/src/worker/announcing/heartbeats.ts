import {
  type GpuLabel,
  type Heartbeat,
  type HeartbeatAnswer,
  type HoldReason,
  MAX_GPUS,
  MAX_MODELS,
  type ModelSpeed,
} from "#protocol/heartbeat";
import type { ModelOffer } from "#protocol/model-offer";
import { CoordinatorProblem } from "../../coordinator/errors";
import { backoffMs } from "../../backoff";
import type { Clock } from "../../clock";

/** What a node tells the coordinator of itself: now and then, and at once when it changes. */
export type Heartbeats = {
  /** Sends the first one; throws only what a person has to put right. */
  start(): Promise<void>;
  /** The models have changed, or whether they are lent: what others must know at once. */
  readonly offerChanged: () => void;
  /** The node became full, or free again. */
  loadChanged(): void;
  /** Sends no more but one: this node is going. Never throws. */
  leave(): Promise<void>;
  /** Resolves when none is under way, nor has become necessary meanwhile. */
  settled(): Promise<void>;
  /** Sends no more, not even that. */
  readonly stop: () => void;
};

export type NodeState = {
  /** Why nothing is lent at the moment; `undefined`: it is. */
  readonly held: HoldReason | undefined;
  /** Unix milliseconds at which it stops by its schedule; `undefined`: nobody knows. */
  readonly lendsUntilMs: number | undefined;
  readonly gpus: readonly GpuLabel[];
  /** Of the models given, as far as known. */
  readonly speeds: (modelIds: readonly string[]) => readonly ModelSpeed[];
  readonly offers: readonly ModelOffer[];
  /** Or takes nothing for another reason. */
  readonly isFull: boolean;
  readonly running: number;
  readonly waiting: number;
  readonly concurrency: number;
};

/** What changes with what the node does; its key and its networks do not. */
export type NodeHeartbeat = Omit<Heartbeat, "e2e_key" | "networks">;

export type HeartbeatsOptions = {
  readonly urls: readonly string[];
  readonly version: string;
  readonly state: () => NodeState;
  readonly send: (heartbeat: NodeHeartbeat) => Promise<HeartbeatAnswer>;
  readonly clock: Clock;
  readonly news: CoordinatorNews;
};

/** Told once each, not with every heartbeat. */
export type CoordinatorNews = {
  lost(error: unknown): void;
  back(): void;
  /** `undefined`: it is not, or not any more. */
  suspended(reason: string | undefined): void;
};

/** As the protocol bounds it. */
const MOST_AT_ONCE = 65_536;
/** A node that is full for a moment only is not worth a call. */
const FLIP_MS = 250;
/** One that flips all the time stays below the coordinator's limit for heartbeats. */
const BETWEEN_FLIPS_MS = 1_000;
/** Sooner than the coordinator takes it for dead. */
const LONGEST_BACKOFF_MS = 15_000;

export function createHeartbeats(options: HeartbeatsOptions): Heartbeats {
  const { clock, news } = options;
  /** What the coordinator may still list. */
  let announced: ReadonlySet<string> = new Set();
  let announcedFull = false;
  let sending: Promise<void> | undefined;
  let isOutdated = false;
  let failures = 0;
  let sentAtMs = -Infinity;
  let isLeaving = false;
  let disarm = (): void => {};
  let disarmFlip: (() => void) | undefined;

  function heartbeat(state: Heartbeat["state"]): NodeHeartbeat {
    const now = options.state();
    const { held, lendsUntilMs } = now;
    const isOffered = state === "serving" || state === "busy";
    const models = isOffered ? now.offers.slice(0, MAX_MODELS) : [];
    const offered = new Set(models.map(({ id }) => id));
    const speeds = now.speeds([...offered]);
    return {
      state,
      ...(state === "paused" && held !== undefined && { reason: held }),
      ...(isOffered &&
        lendsUntilMs !== undefined && { lends_until: Math.ceil(lendsUntilMs / 1_000) }),
      ...(now.gpus.length > 0 && { gpus: now.gpus.slice(0, MAX_GPUS) }),
      ...(speeds.length > 0 && { speeds: [...speeds] }),
      urls: [...options.urls],
      models,
      withdrawn: [...announced].filter((id) => !offered.has(id)).slice(0, MAX_MODELS),
      running: Math.min(MOST_AT_ONCE, now.running),
      waiting: Math.min(MOST_AT_ONCE, now.waiting),
      concurrency: Math.min(MOST_AT_ONCE, Math.max(1, now.concurrency)),
      version: options.version,
    };
  }

  /** Resolves to the milliseconds until the next one is due. */
  async function beat(): Promise<number> {
    isOutdated = false;
    sentAtMs = clock.steadyMs();
    const { isFull, held } = options.state();
    const sent = heartbeat(held === undefined ? (isFull ? "busy" : "serving") : "paused");
    // It may arrive even where its answer gets lost.
    announced = new Set([...announced, ...sent.models.map(({ id }) => id)]);
    const answer = await options.send(sent);
    announced = new Set(sent.models.map(({ id }) => id));
    announcedFull = isFull;
    if (failures > 0) news.back();
    failures = 0;
    news.suspended(answer.suspended?.reason);
    return answer.next_in_seconds * 1_000;
  }

  async function beatAndRearm(): Promise<void> {
    disarm();
    let nextMs: number;
    do {
      try {
        nextMs = await beat();
      } catch (error) {
        nextMs = failed(error);
      }
      // Who leaves says so next, which is newer still.
    } while (isOutdated);
    sending = undefined;
    if (isLeaving) return;
    disarm = clock.after(nextMs, send);
  }

  function failed(error: unknown): number {
    failures += 1;
    news.lost(error);
    const askedMs = error instanceof CoordinatorProblem ? error.retryAfterMs : undefined;
    // What changed meanwhile goes along with the next try; it is no reason for an early one.
    isOutdated = false;
    return askedMs ?? backoffMs(failures, { longestMs: LONGEST_BACKOFF_MS });
  }

  /** One at a time: a late answer must not undo what a newer heartbeat said. */
  function send(): void {
    if (isLeaving) return;
    if (sending === undefined) sending = beatAndRearm();
    else isOutdated = true;
  }

  function silence(): void {
    isLeaving = true;
    isOutdated = false;
    disarm();
    disarmFlip?.();
  }

  return {
    async start() {
      try {
        const nextMs = await beat();
        disarm = clock.after(isOutdated ? 0 : nextMs, send);
      } catch (error) {
        if (isForPeople(error)) throw error;
        disarm = clock.after(failed(error), send);
      }
    },
    offerChanged: send,
    loadChanged() {
      const waitMs = Math.max(FLIP_MS, sentAtMs + BETWEEN_FLIPS_MS - clock.steadyMs());
      disarmFlip ??= clock.after(waitMs, () => {
        disarmFlip = undefined;
        if (options.state().isFull !== announcedFull) send();
      });
    },
    async leave() {
      silence();
      await sending;
      try {
        await options.send(heartbeat("leaving"));
      } catch {
        // The coordinator finds out when the heartbeats stay away.
      }
    },
    settled: async () => sending,
    stop: silence,
  };
}

/** Trying again would not help: the node's address or its person's account is at fault. */
function isForPeople(error: unknown): boolean {
  if (!(error instanceof CoordinatorProblem)) return false;
  const { status } = error.problem;
  return status >= 400 && status < 500 && status !== 429;
}
