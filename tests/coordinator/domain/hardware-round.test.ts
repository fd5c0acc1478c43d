import { expect, it } from "vitest";
import { epochOf, isInRound, roundAtMs, roundIn } from "#coordinator/domain/hardware-round";

const EPOCH_MS = 2 * 3_600_000;

it("has one round in each epoch, anywhere in it and never across its end", () => {
  for (const [bytes, offsetMs] of [
    [[0, 0, 0, 0], 30_000],
    [[128, 0, 0, 0], EPOCH_MS / 2],
    [[255, 255, 255, 255], EPOCH_MS - 30_001],
  ] as const) {
    const atMs = roundAtMs(7, Uint8Array.from(bytes));
    expect(atMs).toBe(7 * EPOCH_MS + offsetMs);
    expect(epochOf(atMs)).toBe(7);
  }
});

it("is told 25 seconds before, and not after it began", () => {
  expect(roundIn(100_000, 74_999)).toBeUndefined();
  expect(roundIn(100_000, 75_000)).toBe(25_000);
  expect(roundIn(100_000, 99_999)).toBe(1);
  expect(roundIn(100_000, 100_000)).toBeUndefined();
});

it("takes challenges from a quarter of a second before until two seconds after", () => {
  expect([99_749, 99_750, 102_000, 102_001].map((nowMs) => isInRound(100_000, nowMs))).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
