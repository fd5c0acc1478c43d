import { expect, it } from "vitest";
import { type Figure, verdictOf } from "./part";
import { renderTable, renderVerdict } from "./report";
import { quantile } from "./stats";

const figure = (rest: Partial<Figure>): Figure => ({ name: "a", unit: "ms", measured: 1, ...rest });

it("meets a target at the very value, in either direction", () => {
  expect(verdictOf(figure({ target: { atMost: 1 } }))).toBe("pass");
  expect(verdictOf(figure({ target: { atLeast: 1 } }))).toBe("pass");
  expect(verdictOf(figure({ measured: 1.001, target: { atMost: 1 } }))).toBe("miss");
  expect(verdictOf(figure({ measured: 0.999, target: { atLeast: 1 } }))).toBe("miss");
});

it("never takes for met what could not be measured, or what has no target", () => {
  expect(verdictOf(figure({ measured: null, target: { atMost: 1 } }))).toBe("unknown");
  expect(verdictOf(figure({}))).toBe("info");
});

it("names every miss, and counts what could not be measured apart", () => {
  const figures = [
    figure({ name: "slow", measured: 2, target: { atMost: 1 } }),
    figure({ name: "fine", target: { atMost: 1 } }),
    figure({ name: "unseen", measured: null, target: { atMost: 1 } }),
    figure({ name: "only told" }),
  ];
  const text = renderVerdict([{ part: "p", figures }]);
  expect(text).toContain("MISSED: 1 of 2 targets. 1 could not be measured here.");
  expect(text).toContain("p: slow");
  expect(text).not.toContain("fine");
});

it("shows target, measured value, ratio and result in one row", () => {
  const figures = [figure({ name: "slow", measured: 2.5, target: { atMost: 1 } })];
  const row = renderTable([{ part: "p", figures }])
    .split("\n")
    .at(-2);
  expect(row?.split("|").map((cell) => cell.trim())).toEqual([
    "",
    "p",
    "slow",
    "≤ 1 ms",
    "2.50 ms",
    "2.50×",
    "MISS",
    "",
    "",
  ]);
});

it("takes quantiles by nearest rank and refuses to take one of nothing", () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.5, 0.99, 1].map((q) => quantile(values, q))).toEqual([1, 3, 5, 5]);
  expect(() => quantile([], 0.5)).toThrow(RangeError);
});
