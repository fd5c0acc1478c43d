import { expect, it } from "vitest";
import { nextOf, positionOf } from "#peer/worker/line/fair-order";

const line = (users: string) => users.split("").map((user) => ({ user }));
const none = (): number => 0;

it("takes whoever came first of users with as many running", () => {
  const waiting = line("aab");
  expect(nextOf(waiting, none)).toBe(waiting[0]);
  expect(nextOf([], none)).toBeUndefined();
});

it("takes a user with fewer running first, however many another has waiting", () => {
  const waiting = line("aaab");
  expect(nextOf(waiting, (user) => (user === "a" ? 2 : 1))).toBe(waiting[3]);
});

it("tells the place at which one more would be served", () => {
  expect(positionOf("a", [], none)).toBe(1);
  expect(positionOf("a", line("aa"), none)).toBe(3);
  // First one of each, then the second ones.
  expect(positionOf("b", line("aaa"), none)).toBe(2);
  expect(positionOf("c", line("aabb"), none)).toBe(3);
  expect(positionOf("c", line("aab"), (user) => (user === "c" ? 5 : 0))).toBe(4);
});
