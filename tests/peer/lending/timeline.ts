import { onTestFinished } from "vitest";
import { createLending, type Lending } from "#peer/lending/lending";
import { type PolicyFile, policyOf } from "#peer/lending/policy";
import type { Machine } from "#peer/probes/machine";
import type { Probe } from "#peer/probes/probe";
import { type Script, scriptedMachine } from "../probes/scripted-machine";
import { type FakeClock, fakeClock } from "../worker/fake-clock";

/** Monday noon, UTC. */
export const NOON = Date.UTC(2030, 0, 7, 12);

export type Told = {
  readonly probes: (clock: FakeClock) => readonly Probe[];
  /** What the machine's tools say in a second after noon. */
  readonly machine: (second: number) => Script;
  readonly policy?: PolicyFile;
  /** Seconds in which requests of ours run. */
  readonly ours?: readonly (readonly [from: number, to: number])[];
};

/** A machine without a past: nothing persists, nobody has paused it. */
export function startLending(told: Told): {
  lending: Lending;
  clock: FakeClock;
  machine: Machine & { ran: string[][] };
} {
  const clock = fakeClock(NOON);
  const second = () => Math.floor((clock.wallMs() - NOON) / 1_000);
  const machine = scriptedMachine(() => told.machine(second()), clock.wallMs);
  let paused: number | undefined;
  const lending = createLending({
    policy: policyOf(told.policy ?? {}, "UTC"),
    probes: told.probes(clock),
    machine,
    clock,
    localTimeZone: "UTC",
    isOursBusy: () => (told.ours ?? []).some(([from, to]) => second() >= from && second() < to),
    pauses: {
      read: async () => paused,
      write: async (untilMs) => void (paused = untilMs),
    },
    onChange: () => {},
  });
  onTestFinished(() => lending.stop());
  return { lending, clock, machine };
}

/** The state in each second, written as one entry for each stretch in which it is the same: `second: state`. */
export async function stretches(told: Told, seconds: number): Promise<string[]> {
  const { lending, clock } = startLending(told);
  await lending.start();
  const changes: string[] = [];
  let last = "";
  for (let second = 0; second <= seconds; second++) {
    const { decision } = lending;
    const state = decision.lends ? "lends" : `${decision.reason}: ${decision.why}`;
    if (state !== last) changes.push(`${second}: ${state}`);
    last = state;
    clock.advance(1_000);
    await lending.settled();
  }
  return changes;
}
