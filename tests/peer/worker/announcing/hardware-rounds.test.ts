import { expect, it } from "vitest";
import { CoordinatorUnreachable } from "#peer/coordinator/errors";
import { ProofYielded } from "#peer/hardware/device";
import type { Passed } from "#peer/hardware/prove";
import { createHardwareRounds } from "#peer/worker/announcing/hardware-rounds";
import { fakeClock } from "../fake-clock";

const PASSED: Passed = {
  status: "passed",
  compute_ops: 1,
  memory_bytes: 1,
  run_multiplier: 0.6,
  standing: { version: 1, verified: true, multiplier: 0.55, basis: "proof" },
};
const told = (inMs?: number) => ({
  status: "seen" as const,
  next_in_seconds: 15,
  ...(inMs !== undefined && { hardware_round_in_ms: inMs }),
});

function setUp() {
  const clock = fakeClock(0);
  const machine = { isOpen: true, gpus: [] as { readonly name: string }[] };
  const jobs = { size: 0 };
  const said: string[] = [];
  const runs: {
    readonly atMs: number;
    readonly beganMs: number;
    readonly signal: AbortSignal;
    readonly needsGpu: boolean;
    readonly end: PromiseWithResolvers<Passed>;
  }[] = [];
  const rounds = createHardwareRounds({
    clock,
    lending: machine,
    jobs,
    say: (line) => said.push(line),
    prove: ({ inMs, needsGpu, signal }) => {
      const end = Promise.withResolvers<Passed>();
      signal.addEventListener("abort", () => end.reject(new ProofYielded("stopped")));
      runs.push({
        atMs: clock.steadyMs() + inMs,
        beganMs: clock.steadyMs(),
        signal,
        needsGpu,
        end,
      });
      return end.promise;
    },
  });
  return { clock, jobs, machine, rounds, runs, said };
}

it("begins once at the moment that the last heartbeat told, and says what came of it", async () => {
  const { clock, rounds, runs, said } = setUp();
  rounds.heard(told(20_000));
  clock.advance(14_000);
  rounds.heard(told(6_100));
  rounds.heard(told());
  clock.advance(1_099);
  expect(runs.length).toBe(0);
  expect(rounds.isRunning).toBe(false);
  clock.advance(1);
  // Five seconds are for getting ready.
  expect(runs.map(({ atMs, beganMs }) => [beganMs, atMs])).toEqual([[15_100, 20_100]]);
  expect(rounds.isRunning).toBe(true);
  runs[0]?.end.resolve(PASSED);
  await rounds.stop();
  expect(rounds.isRunning).toBe(false);
  expect(said).toEqual(["Hardware proven: a second on this machine is worth 0.55 credits."]);
});

type SetUp = ReturnType<typeof setUp>;
const NEEDS: readonly (readonly [string, (under: SetUp) => unknown])[] = [
  ["its person", ({ machine }) => (machine.isOpen = false)],
  ["somebody who is served", ({ jobs }) => (jobs.size = 1)],
];

it.each(NEEDS)("leaves a machine alone that %s needs, and says nothing of it", (_, need) => {
  const under = setUp();
  const { clock, rounds, runs, said } = under;
  need(under);
  rounds.heard(told(1_000));
  clock.advance(10_000);
  expect(runs.length).toBe(0);
  expect(said).toEqual([]);
});

it.each(NEEDS)("ends within a tenth of a second when %s comes", async (_, need) => {
  const under = setUp();
  const { clock, rounds, runs, said } = under;
  rounds.heard(told(1_000));
  clock.advance(3_000);
  expect(runs[0]?.signal.aborted).toBe(false);
  need(under);
  clock.advance(100);
  expect(runs[0]?.signal.aborted).toBe(true);
  await rounds.stop();
  expect(said).toEqual([]);
});

it("does not have a machine with a GPU judged by its CPU", async () => {
  const { clock, machine, rounds, runs } = setUp();
  rounds.heard(told(1_000));
  clock.advance(1_000);
  expect(runs[0]?.needsGpu).toBe(false);
  runs[0]?.end.resolve(PASSED);
  while (rounds.isRunning) await Promise.resolve();
  machine.gpus = [{ name: "NVIDIA GeForce RTX 3090" }];
  rounds.heard(told(1_000));
  clock.advance(1_000);
  expect(runs[1]?.needsGpu).toBe(true);
  await rounds.stop();
});

it("ends with the worker, and takes part in nothing from then on", async () => {
  const { clock, rounds, runs } = setUp();
  rounds.heard(told(1_000));
  clock.advance(1_000);
  await rounds.stop();
  expect(runs[0]?.signal.aborted).toBe(true);
  expect(clock.due).toEqual([]);
  rounds.heard(told(1_000));
  clock.advance(2_000);
  expect(runs.length).toBe(1);

  const waiting = setUp();
  waiting.rounds.heard(told(1_000));
  await waiting.rounds.stop();
  waiting.clock.advance(2_000);
  expect(waiting.runs.length).toBe(0);
});

it("says why it failed, and takes part in the next round all the same", async () => {
  const { clock, rounds, runs, said } = setUp();
  const failWith = async (why: Error) => {
    rounds.heard(told(1_000));
    clock.advance(1_000);
    runs.at(-1)?.end.reject(why);
    await runs.at(-1)?.end.promise.catch(() => undefined);
    while (rounds.isRunning) await Promise.resolve();
  };
  await failWith(new CoordinatorUnreachable("The coordinator is away."));
  await failWith(new Error("secret"));
  expect(runs.length).toBe(2);
  expect(said).toEqual([
    "The proof of this machine's hardware did not succeed: The coordinator is away.",
    "The proof of this machine's hardware did not succeed: this machine could not carry it out.",
  ]);
});
