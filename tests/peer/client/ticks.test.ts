import { expect, it } from "vitest";
import { createTicks } from "#peer/client/ticks";

function underTest(firstTicks: number, everyTicks: number) {
  const ticks = createTicks();
  let calls = 0;
  const waiting = ticks.begin(firstTicks, everyTicks, () => (calls += 1));
  const pass = (times: number): number => {
    for (let tick = 0; tick < times; tick++) ticks.tick();
    return calls;
  };
  return { ticks, waiting, pass };
}

it("calls after the first time, then each so many ticks", () => {
  const { pass } = underTest(3, 2);
  expect([pass(2), pass(1), pass(1), pass(1), pass(4)]).toEqual([0, 1, 1, 2, 4]);
});

it("begins anew where it is told to, and is over where it is ended", () => {
  const { waiting, pass } = underTest(3, 5);
  pass(2);
  waiting.again();
  expect([pass(4), pass(1)]).toEqual([0, 1]);
  waiting.end();
  expect(pass(50)).toBe(1);
});

it("is over at once where another one's turn in the same tick ends it", () => {
  const ticks = createTicks();
  const called: string[] = [];
  const first = ticks.begin(1, 1, () => {
    called.push("first");
    second.end();
  });
  const second = ticks.begin(1, 1, () => {
    called.push("second");
    first.end();
  });
  for (let tick = 0; tick < 3; tick += 1) ticks.tick();
  expect(called).toEqual(["first", "first", "first"]);
});
