import { assert, property, string } from "fast-check";
import { expect, it } from "vitest";
import { editDistance, nearest } from "#peer/cli/nearest";

it.each([
  ["balnace", "balance"],
  ["modls", "models"],
  ["transaction", "transactions"],
  ["worekr", "worker"],
])("takes %s for %s", (typed, meant) => {
  expect(nearest(typed, ["balance", "models", "transactions", "worker"])).toBe(meant);
});

it("guesses nothing where nothing is near", () => {
  expect(nearest("frobnicate", ["balance", "models"])).toBeUndefined();
  expect(nearest("", ["balance"])).toBeUndefined();
});

it("counts edits the same both ways, none for equals, and no more than the longer word has", () => {
  const word = string({ maxLength: 12 });
  assert(
    property(word, word, (a, b) => {
      const distance = editDistance(a, b);
      expect(distance).toBe(editDistance(b, a));
      expect(distance === 0).toBe(a === b);
      expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
    }),
  );
});
