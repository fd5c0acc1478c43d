import type { HoldReason } from "#protocol/heartbeat";
import type { Activity } from "./activity";
import type { Policy } from "./policy";
import { scheduleAt } from "./schedule";

/** Whether this machine lends now, and why, for its owner. Times are Unix milliseconds. */
export type Decision =
  | {
      readonly lends: true;
      readonly why: string;
      /** Until then by the schedule or `--until`; `undefined`: as long as nothing happens. */
      readonly untilMs: number | undefined;
    }
  | {
      readonly lends: false;
      readonly reason: HoldReason;
      readonly why: string;
      /** When it lends again if nothing happens; `undefined`: nobody knows. */
      readonly againAtMs: number | undefined;
    };

/** `untilMs` of a pause without an end. */
export const FOR_GOOD = Number.POSITIVE_INFINITY;

export type Circumstances = {
  readonly policy: Policy;
  readonly activity: Activity;
  /** The machine goes to sleep, or has not told that it is awake. */
  readonly isAsleep: boolean;
  /** Its owner's word; `undefined`: none. */
  readonly pausedUntilMs: number | undefined;
  /** The end that `--until` set; `undefined`: none. */
  readonly endsAtMs: number | undefined;
};

/** Others who stopped for less than this may only have paused. */
const QUIET_MS = 60_000;

export function decide(circumstances: Circumstances, nowMs: number): Decision {
  const { policy, activity, pausedUntilMs = 0, endsAtMs } = circumstances;
  if (circumstances.isAsleep) return hold("asleep", "the machine goes to sleep", undefined);
  if (pausedUntilMs > nowMs) {
    return hold("paused", "you paused it", pausedUntilMs === FOR_GOOD ? undefined : pausedUntilMs);
  }
  if (activity.isHot) {
    return hold("too_hot", `the GPU is at ${activity.hottestC} °C`, undefined);
  }
  if (endsAtMs !== undefined && endsAtMs <= nowMs) {
    return hold("schedule", "it was to lend until then only", undefined);
  }
  const window = policy.schedule && scheduleAt(policy.schedule, nowMs);
  if (window?.isOpen === false) {
    return hold("schedule", "the schedule is closed", window.changesAtMs);
  }
  const ends = [endsAtMs, window?.changesAtMs].filter((end) => end !== undefined);
  const untilMs = ends.length === 0 ? undefined : Math.min(...ends);
  if (policy.mode !== "idle") return lend(`the policy is ${policy.mode}`, untilMs);
  return use(circumstances, nowMs) ?? lend(idleness(activity), untilMs);
}

/** What holds an idle machine back: the first thing that a person would name. */
function use({ policy, activity }: Circumstances, nowMs: number): Decision | undefined {
  const { lastInputMs, gpuUse, cpuUseMs } = activity;
  const awayAtMs = lastInputMs === undefined ? 0 : lastInputMs + policy.idleAfterMs;
  const gpuFreeAtMs = gpuUse === undefined ? 0 : gpuUse.atMs + QUIET_MS;
  const cpuFreeAtMs =
    cpuUseMs === undefined || !countsCpu(policy, activity) ? 0 : cpuUseMs + QUIET_MS;
  const againAtMs = Math.max(awayAtMs, gpuFreeAtMs, cpuFreeAtMs);
  if (activity.isOnBattery) return hold("on_battery", "it runs on battery", undefined);
  if (gpuUse !== undefined && gpuFreeAtMs > nowMs) return hold("gpu_in_use", gpuUse.by, againAtMs);
  if (awayAtMs > nowMs) return hold("user_active", "somebody uses this machine", againAtMs);
  if (cpuFreeAtMs > nowMs) return hold("cpu_in_use", "the processor is busy", againAtMs);
  return undefined;
}

/** On a machine without a person's signs, such as a server, load is no sign of one, unless its owner says so. */
function countsCpu(policy: Policy, { hasGpu, seen }: Activity): boolean {
  return policy.cpuLimitPercent !== undefined || (!hasGpu && seen.has("input"));
}

function idleness({ seen, hasGpu }: Activity): string {
  if (seen.has("input")) return "nobody uses this machine";
  return hasGpu ? "nobody else uses the GPU" : "nothing tells whether somebody uses this machine";
}

function hold(reason: HoldReason, why: string, againAtMs: number | undefined): Decision {
  return { lends: false, reason, why, againAtMs };
}

function lend(why: string, untilMs: number | undefined): Decision {
  return { lends: true, why, untilMs };
}
