import { expect, it } from "vitest";
import { counted } from "#protocol/counted";

it("makes the noun agree with its number, as it is written", () => {
  expect([0, 1, 2, 0.5].map((count) => counted(count, "credit"))).toEqual([
    "0 credits",
    "1 credit",
    "2 credits",
    "0.5 credits",
  ]);
  expect(["1", "1.00", "21"].map((count) => counted(count, "pass", "passes"))).toEqual([
    "1 pass",
    "1.00 passes",
    "21 passes",
  ]);
});
