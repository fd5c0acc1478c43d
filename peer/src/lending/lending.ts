import type { Clock } from "../clock";
import type { Machine } from "../probes/machine";
import type { Probe } from "../probes/probe";
import { type Look, watchSignals } from "../probes/watch";
import { NOTHING_SEEN, observe } from "./activity";
import { type Decision, decide, FOR_GOOD } from "./decide";
import type { Policy } from "./policy";
import type { Gpu, Signal } from "./readings";
import { nextTimeOfDay } from "./schedule";

/** Whether this machine lends, at every moment. */
export type Lending = {
  /** Looks around once; before that nothing is lent. */
  start(): Promise<void>;
  /** Costs nothing: requests ask it. */
  readonly isOpen: boolean;
  readonly decision: Decision;
  readonly gpus: readonly Gpu[];
  readonly looks: () => readonly Look[];
  /** `undefined`: until it is resumed. Throws where that cannot be remembered. */
  pause(forMs: number | undefined): Promise<void>;
  resume(): Promise<void>;
  setAsleep(isAsleep: boolean): void;
  /** Resolves when no look is under way. */
  readonly settled: () => Promise<void>;
  readonly stop: () => void;
};

export type LendingOptions = {
  readonly policy: Policy;
  readonly probes: readonly Probe[];
  readonly machine: Machine;
  readonly clock: Clock;
  readonly localTimeZone: string;
  /** Whether requests of ours run. */
  readonly isOursBusy: () => boolean;
  readonly pauses: Pauses;
  /** Told of every decision that differs from the one before in more than its times; not of the first. */
  readonly onChange: (now: Decision, before: Decision) => void;
};

/** Where a pause outlives the worker: whoever paused the machine did not mean until the next crash. */
export type Pauses = {
  /** Unix milliseconds, `FOR_GOOD`, or `undefined` for none. */
  read(): Promise<number | undefined>;
  write(untilMs: number | undefined): Promise<void>;
};

/** While it lends, the person who comes back is to be noticed at once. */
const LENDING_EVERY_MS: Readonly<Record<Signal, number>> = {
  input: 1_000,
  gpu: 3_000,
  cpu: 3_000,
  power: 5_000,
};
const HOLDING_EVERY_MS: Readonly<Record<Signal, number>> = {
  input: 5_000,
  gpu: 10_000,
  cpu: 5_000,
  power: 10_000,
};
/** An engine works on for a moment after its last answer, and a tool's average reaches as far back. */
const OURS_TAIL_MS = 3_000;

const LOOKING: Decision = {
  lends: false,
  reason: "user_active",
  why: "it has not looked around yet",
  againAtMs: undefined,
};

export function createLending(options: LendingOptions): Lending {
  const { policy, clock, machine, pauses } = options;
  const endsAtMs =
    policy.untilMin === undefined
      ? undefined
      : nextTimeOfDay(policy.untilMin, options.localTimeZone, clock.wallMs());
  let activity = NOTHING_SEEN;
  let gpus: readonly Gpu[] = [];
  let pausedUntilMs: number | undefined;
  let decision = LOOKING;
  let isAsleep = false;
  let hasStarted = false;
  let disarm = (): void => {};
  let oursUntilMs = -Infinity;

  const signals = watchSignals({
    // Whoever lends in any case need not know who is there; GPUs are named, and may get too hot.
    probes: options.probes.filter(({ signal }) => policy.mode === "idle" || signal === "gpu"),
    machine,
    clock,
    everyMs: (signal) => (isWatchful() ? LENDING_EVERY_MS : HOLDING_EVERY_MS)[signal],
    onSight(sighting) {
      if (options.isOursBusy()) oursUntilMs = clock.steadyMs() + OURS_TAIL_MS;
      const isOursBusy = clock.steadyMs() < oursUntilMs;
      activity = observe(activity, sighting, { policy, isOursBusy, nowMs: clock.wallMs() });
      if (sighting.signal === "gpu") gpus = sighting.value?.gpus ?? [];
      if (hasStarted) decideNow();
    },
  });

  function isWatchful(): boolean {
    return policy.mode === "idle" && (decision.lends || !hasStarted);
  }

  function decideNow(): void {
    disarm();
    const nowMs = clock.wallMs();
    const before = decision;
    decision = decide({ policy, activity, isAsleep, pausedUntilMs, endsAtMs }, nowMs);
    const changesAtMs = decision.lends ? decision.untilMs : decision.againAtMs;
    if (changesAtMs !== undefined) disarm = clock.after(changesAtMs - nowMs, decideNow);
    if (decision.lends && !before.lends) signals.hurry();
    if (!isSame(before, decision)) options.onChange(decision, before);
  }

  async function remember(untilMs: number | undefined): Promise<void> {
    await pauses.write(untilMs);
    pausedUntilMs = untilMs;
    decideNow();
  }

  return {
    async start() {
      pausedUntilMs = await pauses.read();
      await signals.first();
      hasStarted = true;
      decision = decide({ policy, activity, isAsleep, pausedUntilMs, endsAtMs }, clock.wallMs());
      decideNow();
    },
    get isOpen() {
      return decision.lends;
    },
    get decision() {
      return decision;
    },
    get gpus() {
      return gpus;
    },
    looks: signals.looks,
    pause: (forMs) => remember(forMs === undefined ? FOR_GOOD : clock.wallMs() + forMs),
    resume: () => remember(undefined),
    setAsleep(is) {
      isAsleep = is;
      decideNow();
    },
    settled: signals.settled,
    stop() {
      disarm();
      signals.stop();
    },
  };
}

/** Whether nothing differs that others than its owner are told. */
export function isSameToOthers(a: Decision, b: Decision): boolean {
  return a.lends ? b.lends : !b.lends && a.reason === b.reason;
}

function isSame(a: Decision, b: Decision): boolean {
  return isSameToOthers(a, b) && (a.lends || a.why === b.why);
}
