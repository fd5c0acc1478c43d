import { expect, it } from "vitest";
import { buildCatalogue } from "#peer/engines/catalogue";
import { DRIVERS } from "#peer/engines/drivers";
import { type Capacity, createCapacity } from "#peer/worker/line/capacity";
import type { EngineKind } from "#protocol/model-offer";
import { fakeClock } from "../fake-clock";

const A = "http://127.0.0.1:1";
const B = "http://127.0.0.1:2";

function setUp(options: { total?: number; perUser?: number } = {}) {
  const clock = fakeClock();
  const seen = { flips: 0, frees: 0 };
  const capacity = createCapacity({
    ...options,
    clock,
    onFlip: () => void (seen.flips += 1),
    onFree: () => void (seen.frees += 1),
  });
  return { capacity, clock, seen };
}

function take(capacity: Capacity, engineUrl: string, user = "one"): (() => void) | null {
  return capacity.take({ engineUrl, user });
}

function source(kind: EngineKind, rootUrl: string, slots?: number) {
  const driver = DRIVERS.find((each) => each.kind === kind) ?? expect.unreachable();
  const offer = { id: `${kind}-model`, engine: kind, state: "loaded" } as const;
  return {
    engine: { kind, target: { rootUrl, apiBaseUrl: `${rootUrl}/v1` }, driver },
    offers: [slots === undefined ? offer : { ...offer, slots }],
  };
}

it("serves as many at once as each engine says, and says when it becomes full and free", () => {
  const { capacity, seen } = setUp();
  capacity.adopt(buildCatalogue([source("llamacpp", A, 1), source("lmstudio", B, 2)]));
  expect(capacity.limit).toBe(3);
  const release = take(capacity, A) ?? expect.unreachable();
  expect(take(capacity, A)).toBeNull();
  expect(take(capacity, B)).not.toBeNull();
  expect(seen.flips).toBe(0);
  expect(take(capacity, B)).not.toBeNull();
  expect([capacity.isFull, seen.flips]).toEqual([true, 1]);
  release();
  release();
  expect([capacity.isFull, seen.flips, capacity.running]).toEqual([false, 2, 2]);
});

it("takes a usual number for an engine that does not say", () => {
  const { capacity } = setUp();
  capacity.adopt(buildCatalogue([source("vllm", A), source("ollama", B)]));
  expect(capacity.limit).toBe(64 + 4);
});

it("does as the operator says instead, over all engines", () => {
  const { capacity } = setUp({ total: 2 });
  capacity.adopt(buildCatalogue([source("llamacpp", A, 1), source("vllm", B)]));
  expect(take(capacity, A)).not.toBeNull();
  expect(take(capacity, A)).not.toBeNull();
  expect(take(capacity, B)).toBeNull();
});

it("has room for nothing without an engine", () => {
  const { capacity } = setUp();
  capacity.adopt(buildCatalogue([]));
  expect([capacity.limit, take(capacity, A)]).toEqual([0, null]);
});

it("serves one user no more at once than it is told to, and others beside it", () => {
  const { capacity } = setUp({ perUser: 1 });
  capacity.adopt(buildCatalogue([source("vllm", A)]));
  const release = take(capacity, A, "one") ?? expect.unreachable();
  expect(take(capacity, A, "one")).toBeNull();
  expect(take(capacity, A, "two")).not.toBeNull();
  release();
  expect(capacity.runningOf("one")).toBe(0);
  expect(take(capacity, A, "one")).not.toBeNull();
});

it("tells of each place that may be free, and learns how long requests take", () => {
  const { capacity, clock, seen } = setUp();
  capacity.adopt(buildCatalogue([source("vllm", A)]));
  expect(seen.frees).toBe(1);
  for (let request = 0; request < 40; request += 1) {
    const release = take(capacity, A) ?? expect.unreachable();
    clock.advance(8_000);
    release();
    release();
  }
  expect(seen.frees).toBe(41);
  expect(Math.round(capacity.usualMs / 100)).toBe(80);
});
