import { expect, it } from "vitest";
import { type Activity, NOTHING_SEEN } from "#peer/lending/activity";
import { type Circumstances, decide, FOR_GOOD } from "#peer/lending/decide";
import { type PolicyFile, policyOf } from "#peer/lending/policy";
import type { Signal } from "#peer/lending/readings";

const NOW = Date.UTC(2030, 0, 7, 12);
const MINUTE = 60_000;

type Case = {
  readonly policy?: PolicyFile;
  readonly activity?: Partial<Activity>;
  readonly paused?: number;
  readonly ends?: number;
  readonly asleep?: boolean;
};

function decided({ policy = {}, activity = {}, paused, ends, asleep = false }: Case) {
  const circumstances: Circumstances = {
    policy: policyOf(policy, "UTC"),
    activity: { ...NOTHING_SEEN, ...activity },
    isAsleep: asleep,
    pausedUntilMs: paused,
    endsAtMs: ends,
  };
  return decide(circumstances, NOW);
}

const sees = (...signals: Signal[]) => new Set(signals);

it("lends where nothing can be known, and says so", () => {
  expect(decided({})).toEqual({
    lends: true,
    why: "nothing tells whether somebody uses this machine",
    untilMs: undefined,
  });
});

it("waits until the person has been away for long enough, to the millisecond", () => {
  const seen = sees("input");
  expect(decided({ activity: { seen, lastInputMs: NOW - 10 * MINUTE + 1 } })).toEqual({
    lends: false,
    reason: "user_active",
    why: "somebody uses this machine",
    againAtMs: NOW + 1,
  });
  expect(decided({ activity: { seen, lastInputMs: NOW - 10 * MINUTE } })).toMatchObject({
    lends: true,
    why: "nobody uses this machine",
  });
});

it.each<[string, Case, object]>([
  ["a pause", { paused: NOW + 1 }, { reason: "paused", againAtMs: NOW + 1 }],
  ["one without an end", { paused: FOR_GOOD }, { reason: "paused", againAtMs: undefined }],
  ["sleep, whatever else holds", { asleep: true, paused: FOR_GOOD }, { reason: "asleep" }],
  ["a battery", { activity: { isOnBattery: true } }, { reason: "on_battery" }],
  [
    "heat",
    { activity: { isHot: true, hottestC: 91 } },
    { reason: "too_hot", why: "the GPU is at 91 °C" },
  ],
  [
    "a game until a minute after it ended",
    { activity: { gpuUse: { atMs: NOW - MINUTE + 1, by: "game.exe uses the GPU" } } },
    { reason: "gpu_in_use", why: "game.exe uses the GPU", againAtMs: NOW + 1 },
  ],
  ["an end that was set", { ends: NOW }, { reason: "schedule", againAtMs: undefined }],
  [
    "a closed schedule",
    { policy: { policy: "schedule", schedule: { windows: ["Mon 13:00-14:00"] } } },
    { reason: "schedule", againAtMs: NOW + 60 * MINUTE },
  ],
])("is held by %s", (_, given, expected) => {
  expect(decided(given)).toMatchObject({ lends: false, ...expected });
});

it.each<[string, Case]>([
  ["a pause that has ended", { paused: NOW }],
  ["a game that ended a minute ago", { activity: { gpuUse: { atMs: NOW - MINUTE, by: "x" } } }],
  ["an end to come", { ends: NOW + 1 }],
  ["load on a server without a GPU", { activity: { cpuUseMs: NOW, seen: sees("cpu") } }],
  [
    "load beside a GPU",
    { activity: { cpuUseMs: NOW, hasGpu: true, seen: sees("cpu", "gpu", "input") } },
  ],
  [
    "a person, with the policy always",
    {
      policy: { policy: "always" },
      activity: { seen: sees("input"), lastInputMs: NOW, isOnBattery: true },
    },
  ],
  [
    "a person within the schedule",
    {
      policy: { policy: "schedule", schedule: { windows: ["Mon 12:00-14:00"] } },
      activity: { seen: sees("input"), lastInputMs: NOW },
    },
  ],
])("is not held by %s", (_, given) => {
  expect(decided(given).lends).toBe(true);
});

it("counts load where a person could be and no GPU is, and wherever a limit is set", () => {
  const desktop = { cpuUseMs: NOW, seen: sees("cpu", "input") };
  expect(decided({ activity: desktop })).toMatchObject({ reason: "cpu_in_use" });
  const server = { cpuUseMs: NOW, seen: sees("cpu") };
  expect(decided({ activity: server, policy: { cpu_limit_percent: 50 } })).toMatchObject({
    reason: "cpu_in_use",
    againAtMs: NOW + MINUTE,
  });
});

it("tells the nearest end, and lends again only when the last hold is over", () => {
  const schedule = { windows: ["Mon 12:00-14:00"] };
  expect(decided({ policy: { schedule }, ends: NOW + MINUTE })).toMatchObject({
    untilMs: NOW + MINUTE,
  });
  expect(decided({ policy: { schedule } })).toMatchObject({ untilMs: NOW + 120 * MINUTE });
  const both = { lastInputMs: NOW, gpuUse: { atMs: NOW, by: "x" } };
  expect(decided({ activity: both })).toMatchObject({
    reason: "gpu_in_use",
    againAtMs: NOW + 10 * MINUTE,
  });
});
