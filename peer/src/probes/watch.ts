import type { Clock } from "../clock";
import type { Sighting } from "../lending/activity";
import type { GpuReading, ProbeRefusal, Readings, Signal } from "../lending/readings";
import type { Machine } from "./machine";
import type { Probe } from "./probe";

/** What became of the last look by one probe. */
export type Look = {
  readonly signal: Signal;
  readonly source: string;
  readonly state: "known" | ProbeRefusal["reason"];
};

export type SignalWatch = {
  /** Looks at everything once; resolves when all that is known has been told. */
  first(): Promise<void>;
  /** Looks at once at what is not being looked at: from now on it matters more. */
  hurry(): void;
  /** What every probe last came to. */
  readonly looks: () => readonly Look[];
  /** Resolves when no look is under way. */
  readonly settled: () => Promise<void>;
  readonly stop: () => void;
};

export type SignalWatchOptions = {
  readonly probes: readonly Probe[];
  readonly machine: Machine;
  readonly clock: Clock;
  /** Milliseconds between looks at a signal. */
  readonly everyMs: (signal: Signal) => number;
  readonly onSight: (sighting: Sighting) => void;
};

/** A tool that is not there is looked for again after so many looks: somebody may install it. */
const SKIPPED_WHEN_ABSENT = 60;
/** One that hangs in its driver leaves a process behind with each look. */
const SKIPPED_WHEN_LOST = 20;
/** A tool that failed so often in a row knows nothing any more; one look may fail on a loaded machine. */
const FAILURES_ALLOWED = 2;

type Source<Name extends Signal = Signal> = {
  readonly probe: Probe<Name>;
  last: Look["state"];
  value: Readings[Name] | undefined;
  failures: number;
  skip: number;
};

/** Looks at the machine's signals again and again, each in its own time; a slow tool delays only its own signal. */
export function watchSignals(options: SignalWatchOptions): SignalWatch {
  const { clock, machine, onSight } = options;
  const sources = options.probes.map((probe): Source => ({
    probe,
    last: "absent",
    value: undefined,
    failures: 0,
    skip: 0,
  }));
  const signals = [...new Set(sources.map(({ probe }) => probe.signal))];
  const underWay = new Map<Signal, Promise<void>>();
  const disarm = new Map<Signal, () => void>();
  let isStopped = false;

  async function lookAt(signal: Signal): Promise<void> {
    const own = sources.filter(({ probe }) => probe.signal === signal);
    await Promise.all(own.map((source) => ask(source, machine)));
    if (isStopped) return;
    onSight(together(signal, own));
    disarm.set(
      signal,
      clock.after(options.everyMs(signal), () => start(signal)),
    );
  }

  function start(signal: Signal): void {
    underWay.set(
      signal,
      lookAt(signal).finally(() => underWay.delete(signal)),
    );
  }

  async function settled(): Promise<void> {
    if (underWay.size === 0) return;
    await Promise.all(underWay.values());
    await settled();
  }

  return {
    async first() {
      for (const signal of signals) start(signal);
      await settled();
    },
    hurry() {
      for (const signal of signals) {
        if (underWay.has(signal)) continue;
        disarm.get(signal)?.();
        start(signal);
      }
    },
    looks: () =>
      sources.map(({ probe: { signal, source }, last }) => ({ signal, source, state: last })),
    settled,
    stop() {
      isStopped = true;
      for (const cancel of disarm.values()) cancel();
    },
  };
}

async function ask(source: Source, machine: Machine): Promise<void> {
  if (source.skip > 0) {
    source.skip -= 1;
    return;
  }
  const read = await source.probe.read(machine);
  if (read.ok) {
    source.last = "known";
    source.value = read.value;
    source.failures = 0;
    return;
  }
  source.last = read.reason;
  source.failures += 1;
  const isLost = source.failures > FAILURES_ALLOWED;
  if (read.reason === "absent") source.skip = SKIPPED_WHEN_ABSENT;
  else if (isLost) source.skip = SKIPPED_WHEN_LOST;
  if (read.reason === "absent" || read.reason === "none" || isLost) source.value = undefined;
}

/** What several sources say of one signal: a person who is seen by one is there. */
function together(signal: Signal, sources: readonly Source[]): Sighting {
  switch (signal) {
    case "input": {
      const idle = valuesOf("input", sources).map(({ idleMs }) => idleMs);
      return { signal, value: idle.length === 0 ? undefined : { idleMs: Math.min(...idle) } };
    }
    case "power": {
      const powers = valuesOf("power", sources);
      const isOnBattery = powers.some((power) => power.isOnBattery);
      return { signal, value: powers.length === 0 ? undefined : { isOnBattery } };
    }
    case "cpu":
      return { signal, value: valuesOf("cpu", sources)[0] };
    case "gpu":
      return { signal, value: allGpus(valuesOf("gpu", sources)) };
  }
}

function allGpus(readings: readonly GpuReading[]): GpuReading | undefined {
  if (readings.length === 0) return undefined;
  const all = readings.flatMap((reading) => reading.gpus);
  const named = all.filter(({ name }) => name !== "");
  const gpus = named.length > 0 ? named : all;
  const processes = readings.flatMap((reading) => reading.processes ?? []);
  const tells = readings.some((reading) => reading.processes !== undefined);
  return { gpus, ...(tells && { processes }) };
}

function valuesOf<Name extends Signal>(
  name: Name,
  sources: readonly Source[],
): readonly Readings[Name][] {
  const own = sources.filter(({ probe }) => probe.signal === name);
  // Sound: a source's value is of its probe's signal.
  return own.flatMap(({ value }) => (value as Readings[Name] | undefined) ?? []);
}
