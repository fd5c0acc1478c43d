import { expect, it } from "vitest";
import { rateInForce, standingOf } from "#coordinator/domain/hardware-standing";

const proven = { rate: 2_350_000, until_ms: 50_000 };
const cooldown = { from_ms: 20_000, until_ms: 40_000 };
const none = { proven: undefined, cooldown: undefined };

it("earns the reference device's rate without a proof, and what is proven until the proof ends", () => {
  expect(rateInForce(none, 0)).toBe(1_000_000);
  expect(rateInForce({ ...none, proven }, 49_999)).toBe(2_350_000);
  expect(rateInForce({ ...none, proven }, 50_000)).toBe(1_000_000);
});

it("earns the least while a failed proof cools down: from the moment at which the opening was due", () => {
  const marks = { proven, cooldown };
  expect([19_999, 20_000, 39_999, 40_000].map((nowMs) => rateInForce(marks, nowMs))).toEqual([
    2_350_000, 250_000, 250_000, 2_350_000,
  ]);
});

it("says which of them it is, and until when", () => {
  const shared = { version: 1 };
  expect(standingOf(none, 0)).toEqual({
    ...shared,
    verified: false,
    multiplier: 1,
    basis: "unproven",
  });
  expect(standingOf({ ...none, proven }, 0)).toEqual({
    ...shared,
    verified: true,
    multiplier: 2.35,
    basis: "proof",
    until: "1970-01-01T00:00:50.000Z",
  });
  expect(standingOf({ proven, cooldown }, 30_000)).toEqual({
    ...shared,
    verified: false,
    multiplier: 0.25,
    basis: "cooldown",
    until: "1970-01-01T00:00:40.000Z",
  });
});
