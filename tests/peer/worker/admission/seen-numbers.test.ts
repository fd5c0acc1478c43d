import { expect, it } from "vitest";
import { createSeenNumbers } from "#peer/worker/admission/seen-numbers";

it("takes each number once, in whatever order they come", () => {
  const seen = createSeenNumbers();
  expect([3, 1, 2, 0].every((number) => seen.add(number))).toBe(true);
  expect([0, 1, 2, 3].some((number) => seen.add(number))).toBe(false);
});

it("takes nothing from far behind, so that it can forget", () => {
  const seen = createSeenNumbers(4);
  for (let number = 0; number < 100; number++) expect(seen.add(number)).toBe(true);
  expect(seen.add(10)).toBe(false);
  expect(seen.add(95)).toBe(false);
  expect(seen.add(96)).toBe(false);
  seen.remove(96);
  expect(seen.add(96)).toBe(true);
  expect(seen.add(101)).toBe(true);
});
