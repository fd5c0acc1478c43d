import { expect, it } from "vitest";
import { eachOf } from "#coordinator/each-of";

it("does what comes behind a failure, too, and tells of the first one", async () => {
  const done: number[] = [];
  const parts = [0, 1, 2, 3].map((part) => async () => {
    done.push(part);
    if (part % 2 === 1) throw new Error(`part ${part}`);
  });
  await expect(eachOf(parts)).rejects.toThrow("part 1");
  expect(done).toEqual([0, 1, 2, 3]);
});
