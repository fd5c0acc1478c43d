import { expect, it } from "vitest";
import { CoordinatorUnreachable } from "#peer/coordinator/errors";
import { ProofYielded } from "#peer/hardware/device";
import type { Passed } from "#peer/hardware/prove";
import { createHardwareRounds } from "#peer/worker/hardware-rounds";
import { fakeClock } from "./fake-clock";

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

function setUp(mayRun: () => boolean = () => true) {
  const clock = fakeClock(0);
  const said: string[] = [];
  const runs: {
    readonly atMs: number;
    readonly beganMs: number;
    readonly signal: AbortSignal;
    readonly end: PromiseWithResolvers<Passed>;
  }[] = [];
  const rounds = createHardwareRounds({
    clock,
    mayRun,
    say: (line) => said.push(line),
    prove: (signal, inMs) => {
      const end = Promise.withResolvers<Passed>();
      signal.addEventListener("abort", () => end.reject(new ProofYielded("stopped")));
      runs.push({ atMs: clock.steadyMs() + inMs, beganMs: clock.steadyMs(), signal, end });
      return end.promise;
    },
  });
  return { clock, rounds, runs, said };
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

it("leaves a machine alone that somebody needs, and says nothing of it", () => {
  const { clock, rounds, runs, said } = setUp(() => false);
  rounds.heard(told(1_000));
  clock.advance(10_000);
  expect(runs.length).toBe(0);
  expect(said).toEqual([]);
});

it("ends within a tenth of a second when somebody comes", async () => {
  let isFree = true;
  const { clock, rounds, runs, said } = setUp(() => isFree);
  rounds.heard(told(1_000));
  clock.advance(3_000);
  expect(runs[0]?.signal.aborted).toBe(false);
  isFree = false;
  clock.advance(100);
  expect(runs[0]?.signal.aborted).toBe(true);
  await rounds.stop();
  expect(said).toEqual([]);
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
