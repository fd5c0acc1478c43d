import { expect, it } from "vitest";
import { createSpentProofs } from "#peer/worker/admission/spent-proofs";
import { fakeClock } from "../fake-clock";

it("takes a proof once as long as any clock could take it for fresh, then forgets it", () => {
  const clock = fakeClock();
  const spent = createSpentProofs(clock.steadyMs);
  expect(spent.spend("peer", "jti-1")).toBe(true);
  clock.advance(119_000);
  expect(spent.spend("peer", "jti-1")).toBe(false);
  expect(spent.spend("other peer", "jti-1")).toBe(true);
  clock.advance(2_000);
  expect(spent.spend("peer", "jti-1")).toBe(true);
});

it("refuses rather than forgets when its memory is full", () => {
  const clock = fakeClock();
  const spent = createSpentProofs(clock.steadyMs, 2);
  expect(spent.spend("peer", "a")).toBe(true);
  expect(spent.spend("peer", "b")).toBe(true);
  expect(spent.spend("peer", "c")).toBe(false);
  expect(spent.spend("peer", "a")).toBe(false);
  clock.advance(121_000);
  expect(spent.spend("peer", "c")).toBe(true);
});
