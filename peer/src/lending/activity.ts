import { isDesktopProgram, isEngineProgram, programName } from "./programs";
import type { Policy } from "./policy";
import type { GpuProcess, GpuReading, Readings, Signal } from "./readings";

type Sample = { readonly atMs: number; readonly percent: number };

/** What is remembered of others' use of this machine; times are Unix milliseconds. */
export type Activity = {
  readonly seen: ReadonlySet<Signal>;
  readonly hasGpu: boolean;
  readonly lastInputMs: number | undefined;
  readonly isOnBattery: boolean;
  /** Others used a GPU, and how, for people. */
  readonly gpuUse: { readonly atMs: number; readonly by: string } | undefined;
  readonly gpuLoad: readonly Sample[];
  readonly cpuUseMs: number | undefined;
  readonly cpuLoad: readonly Sample[];
  readonly hottestC: number | undefined;
  readonly isHot: boolean;
};

export const NOTHING_SEEN: Activity = {
  seen: new Set(),
  hasGpu: false,
  lastInputMs: undefined,
  isOnBattery: false,
  gpuUse: undefined,
  gpuLoad: [],
  cpuUseMs: undefined,
  cpuLoad: [],
  hottestC: undefined,
  isHot: false,
};

/** A peak shorter than this is a window being moved, not a game. */
const WINDOW_MS = 15_000;
/** From there on load on the processor counts as somebody's work. */
export const USUAL_CPU_LIMIT_PERCENT = 50;
/** Cooler by so much, it lends again: else it would flap around the limit. */
const COOL_DOWN_C = 5;

/** What one look at a signal found; `undefined`: it is not known, or not any more. */
export type Sighting = {
  readonly [Name in Signal]: { readonly signal: Name; readonly value: Readings[Name] | undefined };
}[Signal];

export type Context = {
  readonly policy: Policy;
  /** Our own jobs load the machine, so that its total load says nothing of others. */
  readonly isOursBusy: boolean;
  readonly nowMs: number;
};

export function observe(before: Activity, sighting: Sighting, context: Context): Activity {
  const after = { ...before, seen: withSignal(before.seen, sighting) };
  // What is not known holds nobody back.
  switch (sighting.signal) {
    case "input": {
      const { value } = sighting;
      return { ...after, lastInputMs: value && context.nowMs - value.idleMs };
    }
    case "power":
      return { ...after, isOnBattery: sighting.value?.isOnBattery ?? false };
    case "cpu":
      return sighting.value === undefined
        ? { ...after, cpuLoad: [], cpuUseMs: undefined }
        : withCpu(after, sighting.value.loadPercent, context);
    case "gpu":
      return sighting.value === undefined
        ? {
            ...after,
            hasGpu: false,
            gpuLoad: [],
            gpuUse: undefined,
            hottestC: undefined,
            isHot: false,
          }
        : withGpu(after, sighting.value, context);
  }
}

function withSignal(before: ReadonlySet<Signal>, { signal, value }: Sighting): ReadonlySet<Signal> {
  if (before.has(signal) === (value !== undefined)) return before;
  return value === undefined ? before.difference(new Set([signal])) : new Set([...before, signal]);
}

function withCpu(before: Activity, loadPercent: number, context: Context): Activity {
  const { policy, isOursBusy, nowMs } = context;
  if (isOursBusy) return { ...before, cpuLoad: [] };
  const cpuLoad = within(before.cpuLoad, { atMs: nowMs, percent: loadPercent });
  const isUsed = steadyLoad(cpuLoad) >= (policy.cpuLimitPercent ?? USUAL_CPU_LIMIT_PERCENT);
  return { ...before, cpuLoad, ...(isUsed && { cpuUseMs: nowMs }) };
}

function withGpu(before: Activity, reading: GpuReading, context: Context): Activity {
  const { policy, nowMs } = context;
  const { gpus, processes = [] } = reading;
  const hottestC = mostOf(gpus.map(({ temperatureC }) => temperatureC));
  const isHot = isTooHot(before, hottestC, policy);
  const others = processes.filter((process) => isOthers(process, policy));
  const percent = loadByOthers(reading, others, context);
  const gpuLoad = percent === undefined ? [] : within(before.gpuLoad, { atMs: nowMs, percent });
  const by = userOf(others, steadyLoad(gpuLoad), policy);
  const after = { ...before, hasGpu: gpus.length > 0, hottestC, isHot, gpuLoad };
  return by === undefined ? after : { ...after, gpuUse: { atMs: nowMs, by } };
}

/** Of the busiest GPU; `undefined` where it cannot be told from our own jobs' load. */
function loadByOthers(
  { gpus, processes = [] }: GpuReading,
  others: readonly GpuProcess[],
  { isOursBusy }: Context,
): number | undefined {
  const isToldApart = processes.some(({ loadPercent }) => loadPercent !== undefined);
  const apart = isToldApart
    ? others.reduce((sum, { loadPercent = 0 }) => sum + loadPercent, 0)
    : undefined;
  if (isOursBusy) return apart;
  // Without jobs of ours, the engine works for the machine's owner.
  return mostOf([apart, ...gpus.map(({ loadPercent }) => loadPercent)]);
}

/** Who else uses the GPUs, in words; `undefined`: nobody. */
function userOf(others: readonly GpuProcess[], load: number, policy: Policy): string | undefined {
  const [first] = others.toSorted(
    (a, b) => (b.loadPercent ?? 0) - (a.loadPercent ?? 0) || (b.vramMib ?? 0) - (a.vramMib ?? 0),
  );
  if (load >= policy.gpuLimitPercent) {
    return first === undefined ? "the GPU is in use" : `${programName(first.name)} uses the GPU`;
  }
  const [largest] = others.toSorted((a, b) => (b.vramMib ?? 0) - (a.vramMib ?? 0));
  const vramMib = others.reduce((sum, process) => sum + (process.vramMib ?? 0), 0);
  if (largest === undefined || vramMib <= policy.vramLimitMib) return undefined;
  return `${programName(largest.name)} holds the GPU's memory`;
}

/** Neither an engine nor what every desktop runs. */
function isOthers({ name }: GpuProcess, { ignoredProcesses }: Policy): boolean {
  const program = programName(name).toLowerCase();
  return (
    !isEngineProgram(name) && !isDesktopProgram(program) && !ignoredProcesses.includes(program)
  );
}

function isTooHot(before: Activity, hottestC: number | undefined, policy: Policy): boolean {
  if (policy.maxTemperatureC === undefined || hottestC === undefined) return false;
  return hottestC >= policy.maxTemperatureC - (before.isHot ? COOL_DOWN_C : 0);
}

function within(samples: readonly Sample[], newest: Sample): readonly Sample[] {
  return [...samples.filter(({ atMs }) => newest.atMs - atMs < WINDOW_MS), newest];
}

/** Load that has lasted and goes on: the mean of the samples, or the newest where that is less. */
function steadyLoad(samples: readonly Sample[]): number {
  const sum = samples.reduce((total, { percent }) => total + percent, 0);
  return Math.min(sum / Math.max(1, samples.length), samples.at(-1)?.percent ?? 0);
}

function mostOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}
