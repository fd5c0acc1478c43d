import { expect, it } from "vitest";
import { remember } from "#protocol/remember";

it("keeps as many as it may, and begins anew with the next", () => {
  const map = new Map<string, number>();
  remember(map, 2, "a", 1);
  remember(map, 2, "b", 2);
  expect([...map]).toEqual([
    ["a", 1],
    ["b", 2],
  ]);
  remember(map, 2, "c", 3);
  expect([...map]).toEqual([["c", 3]]);
});
