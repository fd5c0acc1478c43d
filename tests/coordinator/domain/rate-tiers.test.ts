import fc from "fast-check";
import { expect, it } from "vitest";
import { admit, type Tier } from "#coordinator/domain/rate-tiers";

const TIER: Tier = { name: "t", limit: 10, windowMs: 60_000 };
const NOW = Date.UTC(2030, 0, 1);

/** Sends hits at these moments and keeps count as the object does. */
function run(
  momentsMs: readonly number[],
): { atMs: number; admitted: boolean; resetSeconds: number }[] {
  const slots = new Map<number, number>();
  return momentsMs.map((atMs) => {
    const rows = [...slots].map(([slot, hits]) => ({ slot, hits }));
    const decided = admit(rows, TIER, atMs);
    if (decided.admitted) slots.set(decided.slot, (slots.get(decided.slot) ?? 0) + 1);
    return { atMs, ...decided };
  });
}

it("admits no more than the limit within any window", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 80 }), (offsets) => {
      const moments = offsets.toSorted((a, b) => a - b).map((offset) => NOW + offset);
      const admitted = run(moments).filter((hit) => hit.admitted);
      for (const { atMs } of admitted) {
        // A slot is a second wide; a window of whole slots is that much shorter at most.
        const inWindow = admitted.filter(
          (hit) => hit.atMs <= atMs && hit.atMs > atMs - TIER.windowMs + 1_000,
        );
        expect(inWindow.length).toBeLessThanOrEqual(TIER.limit);
      }
    }),
  );
});

it("says after how many seconds a hit is admitted, and keeps its word", () => {
  const burst = run(Array.from({ length: 11 }, () => NOW));
  const refused = burst.at(-1);
  expect(refused?.admitted).toBe(false);
  const waitMs = (refused?.resetSeconds ?? 0) * 1_000;
  const again = run([...Array.from({ length: 10 }, () => NOW), NOW + waitMs - 2_000, NOW + waitMs]);
  expect(again.slice(-2).map((hit) => hit.admitted)).toEqual([false, true]);
});
