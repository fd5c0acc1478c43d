import { describe, expect, it } from "vitest";
import { beginRun, takeCommitment } from "#coordinator/domain/hardware-run";
import { type Pass, provenRate, rateOf } from "#coordinator/domain/hardware-score";
import { HARDWARE_VERSION } from "#protocol/hardware";
import { OPERATIONS_PER_ROW } from "#protocol/poh/matrix";

const HOUR = 3_600_000;
const ROUND = Date.UTC(2030, 0, 10);
const EPOCH = { epoch: 1, roundAtMs: ROUND };
/** Of one machine, alone, a millisecond. */
const ROWS = 4_000;
const WHOLE = ROWS * 1_000 * OPERATIONS_PER_ROW;

/** Operations a second of a run that was asked for at one moment, had the machine for a time, and was bound at another. */
function computed(askedMs: number, hadMs: number, boundMs: number): number {
  const ids = { id: "6ba7b810-9dad-41d1-80b4-00c04fd430c8", nonce: "n" };
  const run = beginRun(EPOCH, ids, ROUND + askedMs);
  const said = { id: ids.id, part: "compute", rows: hadMs * ROWS, root: "r" } as const;
  let next = 0;
  const taken = takeCommitment(run, said, ROUND + boundMs, () => next++);
  if (!taken.ok) throw new Error(taken.reason);
  return taken.value.compute_ops / WHOLE;
}

describe("two identities on one machine, in one round", () => {
  it("have half of it each where both compute", () => {
    expect([computed(0, 2_000, 4_000), computed(0, 2_000, 4_000)]).toEqual([0.5, 0.5]);
    const shared = rateOf((WHOLE * 1) / 2, 500e9);
    expect(shared).toBeLessThan(rateOf(WHOLE, 1_000e9));
  });

  it("do not have all of it one after the other, however the second puts off its question", () => {
    expect(computed(-250, 3_000, 2_750)).toBeCloseTo(1, 9);
    expect(computed(2_000, 2_250, 5_000)).toBe(0.45);
    expect(computed(0, 3_000, 6_000)).toBe(0.5);
  });

  it("have the time from the question on where it is none of the round's", () => {
    expect(computed(60_000, 3_000, 63_000)).toBe(1);
  });
});

describe("two identities on one machine, one in the round and the other on demand minutes later", () => {
  const pass = (hoursAgo: number, inRound: boolean, rate: number): Pass => ({
    atMs: ROUND - hoursAgo * HOUR,
    inRound,
    rate,
    version: HARDWARE_VERSION,
  });
  const worth = (passes: readonly Pass[], firstHoursAgo: number, lastRoundHoursAgo?: number) =>
    provenRate(
      {
        passes,
        firstPassMs: ROUND - firstHoursAgo * HOUR,
        lastRoundMs: lastRoundHoursAgo === undefined ? undefined : ROUND - lastRoundHoursAgo * HOUR,
        servedRate: undefined,
      },
      undefined,
      ROUND,
    )?.rate;
  const whole = [0, 1, 2, 3, 4].map((hoursAgo) => pass(hoursAgo, false, 4_000_000));

  it("are both worth the whole on the second one's first day, and then only the one in the rounds", () => {
    expect(worth(whole, 23)).toBe(4_000_000);
    expect(worth(whole, 24)).toBeUndefined();
    expect(worth(whole, 24 * 365, 48)).toBeUndefined();
  });

  it("are worth what each has in the rounds, as soon as both take part in them", () => {
    expect(worth([...whole, pass(5, true, 3_000_000)], 6, 5)).toBe(3_000_000);
  });
});
