import { edenGC, fullGC } from "bun:jsc";
import { expect, it } from "vitest";
import { createCrowd } from "#peer/crowd";

it("has those who came and have not left", () => {
  const crowd = createCrowd<string>();
  const [a, b, c, d] = ["a", "b", "c", "d"].map((one) => crowd.enter(one));
  expect(crowd.all()).toEqual(["a", "b", "c", "d"]);
  for (const place of [b, d, a]) expect(place && crowd.leave(place)).toBe(true);
  expect(crowd.all()).toEqual(["c"]);
  for (const place of [b, d, a]) expect(place && crowd.leave(place)).toBe(false);
  crowd.enter("e");
  expect(crowd.size).toBe(2);
  expect(c && crowd.leave(c)).toBe(true);
  expect(crowd.all()).toEqual(["e"]);
});

it("goes through those of the moment, whoever leaves meanwhile", () => {
  const crowd = createCrowd<string>();
  const places = ["a", "b", "c"].map((one) => crowd.enter(one));
  const seen: string[] = [];
  for (const one of crowd.all()) {
    seen.push(one);
    for (const place of places) crowd.leave(place);
  }
  expect(seen).toEqual(["a", "b", "c"]);
  expect(crowd.size).toBe(0);
});

it("keeps none who left from the collection of young garbage", () => {
  const crowd = createCrowd<number[]>();
  const there = Array.from({ length: 32 }, () => crowd.enter([]));
  const comeAndGo = (times: number): void => {
    for (let time = 0; time < times; time += 1) {
      const oldest = there.shift();
      if (oldest !== undefined) crowd.leave(oldest);
      there.push(crowd.enter(Array.from({ length: 100 }, () => time)));
    }
  };
  comeAndGo(5_000);
  const before = fullGC();
  comeAndGo(5_000);
  // Of 4.5 MB.
  expect(edenGC() - before).toBeLessThan(1_000_000);
});
