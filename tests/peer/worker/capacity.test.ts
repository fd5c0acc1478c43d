import { expect, it } from "vitest";
import { buildCatalogue } from "#peer/engines/catalogue";
import { DRIVERS } from "#peer/engines/drivers";
import { createCapacity } from "#peer/worker/capacity";
import type { EngineKind } from "#protocol/model-offer";

const A = "http://127.0.0.1:1";
const B = "http://127.0.0.1:2";

function source(kind: EngineKind, rootUrl: string, slots?: number) {
  const driver = DRIVERS.find((each) => each.kind === kind) ?? expect.unreachable();
  const offer = { id: `${kind}-model`, engine: kind, state: "loaded" } as const;
  return {
    engine: { kind, target: { rootUrl, apiBaseUrl: `${rootUrl}/v1` }, driver },
    offers: [slots === undefined ? offer : { ...offer, slots }],
  };
}

it("serves as many at once as each engine says, and says when it becomes full and free", () => {
  let flips = 0;
  const capacity = createCapacity(undefined, () => (flips += 1));
  capacity.adopt(buildCatalogue([source("llamacpp", A, 1), source("lmstudio", B, 2)]));
  expect(capacity.limit).toBe(3);
  const release = capacity.take(A) ?? expect.unreachable();
  expect(capacity.take(A)).toBeNull();
  expect(capacity.take(B)).not.toBeNull();
  expect(flips).toBe(0);
  expect(capacity.take(B)).not.toBeNull();
  expect([capacity.isFull, flips]).toEqual([true, 1]);
  release();
  release();
  expect([capacity.isFull, flips, capacity.running]).toEqual([false, 2, 2]);
});

it("takes a usual number for an engine that does not say", () => {
  const capacity = createCapacity(undefined, () => {});
  capacity.adopt(buildCatalogue([source("vllm", A), source("ollama", B)]));
  expect(capacity.limit).toBe(64 + 4);
});

it("does as the operator says instead, over all engines", () => {
  const capacity = createCapacity(2, () => {});
  capacity.adopt(buildCatalogue([source("llamacpp", A, 1), source("vllm", B)]));
  expect(capacity.take(A)).not.toBeNull();
  expect(capacity.take(A)).not.toBeNull();
  expect(capacity.take(B)).toBeNull();
});

it("has room for nothing without an engine", () => {
  const capacity = createCapacity(undefined, () => {});
  capacity.adopt(buildCatalogue([]));
  expect([capacity.limit, capacity.take(A)]).toEqual([0, null]);
});
