import { describe, expect, it } from "vitest";
import { memoryRate, type Pass, provenRate, rateOf } from "#coordinator/domain/hardware-score";
import { FULL_TABLE_ROWS, HARDWARE_VERSION } from "#protocol/hardware";

const HOUR = 3_600_000;
const NOW = Date.UTC(2030, 0, 10);

function pass(hoursAgo: number, rate: number, inRound: boolean = true): Pass {
  return { atMs: NOW - hoursAgo * HOUR, inRound, rate, version: HARDWARE_VERSION };
}

function proven(
  passes: readonly Pass[],
  more: { inForce?: number; servedRate?: number; firstPassMs?: number; lastRoundMs?: number } = {},
) {
  const { inForce, ...rest } = more;
  const firstPassMs = Math.min(...passes.map(({ atMs }) => atMs));
  const rounds = passes.filter(({ inRound }) => inRound).map(({ atMs }) => atMs);
  const lastRoundMs = rounds.length === 0 ? undefined : Math.max(...rounds);
  const history = { passes, firstPassMs, lastRoundMs, servedRate: undefined, ...rest };
  return provenRate(history, inForce, NOW);
}

describe("a multiplier", () => {
  it("is 1 on the reference device, and rounded down to a twentieth", () => {
    expect(rateOf(0.4e12, 50e9)).toBe(1_000_000);
    expect(rateOf(0.4e12 * 1.3, 50e9)).toBe(1_000_000);
    expect(rateOf(0.4e12 * 1.45, 50e9)).toBe(1_050_000);
  });

  it("grows with both parts, with memory more", () => {
    expect(rateOf(4e12, 50e9)).toBe(1_350_000);
    expect(rateOf(0.4e12, 500e9)).toBe(1_800_000);
  });

  it("stays between a quarter and eight", () => {
    expect(rateOf(1, 1)).toBe(250_000);
    expect(rateOf(1e18, 1e15)).toBe(8_000_000);
  });

  it("gains nothing by a table that fits a cache", () => {
    expect(memoryRate(FULL_TABLE_ROWS, 100e9, 2_000)).toBe(50e9);
    expect(memoryRate(FULL_TABLE_ROWS / 4, 100e9, 2_000)).toBe(12.5e9);
    expect(memoryRate(4 * FULL_TABLE_ROWS, 100e9, 2_000)).toBe(50e9);
  });
});

describe("what passes come to", () => {
  it("is the median of the last five", () => {
    const rates = [900_000, 4_000_000, 1_000_000, 1_100_000, 950_000, 8_000_000, 8_000_000];
    const passes = rates.map((rate, place) => pass(2 * place + 1, rate));
    expect(proven(passes)?.rate).toBe(1_000_000);
    expect(proven(passes.slice(0, 2))?.rate).toBe(900_000);
  });

  it("ends a day after the newest", () => {
    expect(proven([pass(1, 1_000_000), pass(20, 1_000_000)])?.untilMs).toBe(NOW + 23 * HOUR);
    expect(proven([pass(24, 1_000_000)])).toBeUndefined();
    expect(proven([pass(23.9, 1_000_000)])?.rate).toBe(1_000_000);
  });

  it("does not follow a median that is within a tenth of what is in force", () => {
    expect(proven([pass(1, 1_100_000)], { inForce: 1_000_000 })?.rate).toBe(1_000_000);
    expect(proven([pass(1, 900_000)], { inForce: 1_000_000 })?.rate).toBe(1_000_000);
    expect(proven([pass(1, 1_150_000)], { inForce: 1_000_000 })?.rate).toBe(1_150_000);
    expect(proven([pass(1, 850_000)], { inForce: 1_000_000 })?.rate).toBe(850_000);
  });

  it("counts no passes of another version", () => {
    expect(proven([{ ...pass(1, 1_000_000), version: HARDWARE_VERSION + 1 }])).toBeUndefined();
  });

  it("is no more than what served tokens are worth, with the tolerance of a receipt", () => {
    const passes = [pass(1, 4_000_000)];
    expect(proven(passes, { servedRate: 1_000_000 })?.rate).toBe(1_500_000);
    expect(proven(passes, { servedRate: 4_000_000 })?.rate).toBe(4_000_000);
    expect(proven(passes, { servedRate: 1 })?.rate).toBe(250_000);
  });
});

describe("runs on demand", () => {
  it("count on a node's first day, and no longer than that", () => {
    const passes = [pass(1, 2_000_000, false), pass(3, 2_000_000, false)];
    expect(proven(passes)).toEqual({ rate: 2_000_000, untilMs: NOW + 21 * HOUR });
    expect(proven(passes, { firstPassMs: NOW - 25 * HOUR })).toBeUndefined();
  });

  it("count for two days after the last round, and not beside passes in rounds", () => {
    const demand = [pass(1, 4_000_000, false)];
    const firstPassMs = NOW - 900 * HOUR;
    expect(proven(demand, { firstPassMs, lastRoundMs: NOW - 47 * HOUR })).toEqual({
      rate: 4_000_000,
      untilMs: NOW + HOUR,
    });
    expect(proven(demand, { firstPassMs, lastRoundMs: NOW - 48 * HOUR })).toBeUndefined();
    expect(proven([...demand, pass(5, 1_000_000)])?.rate).toBe(1_000_000);
  });
});
