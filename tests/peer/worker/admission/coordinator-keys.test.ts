import { expect, it } from "vitest";
import { createCoordinatorKeys } from "#peer/worker/admission/coordinator-keys";
import { fakeClock } from "../fake-clock";
import { signingKey } from "../fake-network";

const first = await signingKey("key-1");
const second = await signingKey("key-2");

it("asks for keys only when one is missing, once for all who miss it", async () => {
  let asked = 0;
  const keys = createCoordinatorKeys({
    nowMs: fakeClock().steadyMs,
    fetchJwks: () => {
      asked += 1;
      return Promise.resolve({ keys: [first.publicKey, second.publicKey] });
    },
  });
  keys.adopt({ keys: [first.publicKey] });
  expect(await keys.keyOf("key-1")).toBeDefined();
  expect(asked).toBe(0);
  const found = await Promise.all(["key-2", "key-2", "key-3"].map((kid) => keys.keyOf(kid)));
  expect(found.map((key) => key !== undefined)).toEqual([true, true, false]);
  expect(asked).toBe(1);
});

it("asks at most once a minute, however many key ids are made up", async () => {
  const clock = fakeClock();
  let asked = 0;
  const keys = createCoordinatorKeys({
    nowMs: clock.steadyMs,
    fetchJwks: () => {
      asked += 1;
      return Promise.resolve({ keys: [first.publicKey] });
    },
  });
  await keys.keyOf("made-up-1");
  clock.advance(59_000);
  await keys.keyOf("made-up-2");
  expect(asked).toBe(1);
  clock.advance(1_000);
  await keys.keyOf("made-up-3");
  expect(asked).toBe(2);
});

it("keeps the keys it has while the coordinator is away", async () => {
  const keys = createCoordinatorKeys({
    nowMs: fakeClock().steadyMs,
    fetchJwks: () => Promise.reject(new Error("away")),
  });
  keys.adopt({ keys: [first.publicKey] });
  expect(await keys.keyOf("key-2")).toBeUndefined();
  expect(await keys.keyOf("key-1")).toBeDefined();
});
