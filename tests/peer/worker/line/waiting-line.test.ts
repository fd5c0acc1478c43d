import { expect, it } from "vitest";
import type { Asker } from "#peer/worker/line/capacity";
import { createWaitingLine, type WaitingLine } from "#peer/worker/line/waiting-line";
import { fakeClock } from "../fake-clock";

const A = "http://127.0.0.1:1";
const stays = new AbortController().signal;

/** So many places on each engine, all taken; `free` gives one back. */
function setUp(options: { eachUser?: number; slots?: number } = {}) {
  const { eachUser = 4, slots = 2 } = options;
  const clock = fakeClock();
  const free = new Map<string, number>();
  const running = new Map<string, number>();
  const gone = new Set<string>();
  const line = createWaitingLine({
    eachUser,
    clock,
    capacity: {
      limit: slots,
      usualMs: 3_000,
      slotsOf: (engineUrl) => (gone.has(engineUrl) ? 0 : slots),
      runningOf: (user) => running.get(user) ?? 0,
      take({ engineUrl, user }) {
        const left = free.get(engineUrl) ?? 0;
        if (left === 0) return null;
        free.set(engineUrl, left - 1);
        running.set(user, (running.get(user) ?? 0) + 1);
        return () => {};
      },
    },
  });
  const freePlace = (engineUrl: string = A): void => {
    free.set(engineUrl, (free.get(engineUrl) ?? 0) + 1);
    line.serve();
  };
  return { clock, line, freePlace, gone };
}

/** Notes under its name when it gets a place, or why it gets none. */
function join(line: WaitingLine, seen: string[], name: string, asker: Partial<Asker> = {}) {
  return line
    .wait({ engineUrl: A, user: name, ...asker }, 10_000, stays)
    .then((got) => seen.push(got.ok ? name : `${name}: ${got.reason}`));
}

it("gives free places to one user after the other, and one user's in their order", async () => {
  const { line, freePlace } = setUp();
  const seen: string[] = [];
  const all = [
    join(line, seen, "a1", { user: "a" }),
    join(line, seen, "a2", { user: "a" }),
    join(line, seen, "a3", { user: "a" }),
    join(line, seen, "b1", { user: "b" }),
  ];
  for (let place = 0; place < 4; place += 1) freePlace();
  await Promise.all(all);
  expect(seen).toEqual(["a1", "b1", "a2", "a3"]);
  expect(line.size).toBe(0);
});

it("lets nobody wait behind another engine's line", async () => {
  const { line, freePlace } = setUp();
  const seen: string[] = [];
  void join(line, seen, "first");
  const other = join(line, seen, "second", { engineUrl: "http://127.0.0.1:2" });
  freePlace("http://127.0.0.1:2");
  await other;
  expect(seen).toEqual(["second"]);
  expect(line.size).toBe(1);
});

it("tells the place behind which one would wait, and for how long about", () => {
  const { line } = setUp();
  expect(line.ahead({ engineUrl: A, user: "a" })).toEqual({ position: 1, waitMs: 1_500 });
  void join(line, [], "a");
  void join(line, [], "a");
  expect(line.ahead({ engineUrl: A, user: "a" })).toEqual({ position: 3, waitMs: 4_500 });
  expect(line.ahead({ engineUrl: A, user: "b" })).toEqual({ position: 2, waitMs: 3_000 });
  // Whoever is not known is behind all.
  expect(line.ahead()).toEqual({ position: 3, waitMs: 4_500 });
});

it("lets so many of one user wait, and so many of all", async () => {
  const { line } = setUp({ eachUser: 2 });
  const seen: string[] = [];
  void join(line, seen, "a");
  void join(line, seen, "a");
  await join(line, seen, "a");
  expect(seen).toEqual(["a: busy"]);
  for (let user = 0; line.size < 64; user += 1) void join(line, seen, `u${user}`);
  expect(line.isFull).toBe(true);
  await join(line, seen, "late");
  expect(seen.at(-1)).toBe("late: busy");
});

it("ends a wait when its time is over, without anybody else's", async () => {
  const { line, clock } = setUp();
  const seen: string[] = [];
  const short = line.wait({ engineUrl: A, user: "a" }, 5_000, stays);
  void join(line, seen, "b");
  clock.advance(5_000);
  expect(await short).toEqual({ ok: false, reason: "busy" });
  expect(line.size).toBe(1);
  clock.advance(5_000);
  expect(line.size).toBe(0);
  // However long a client says that it would wait.
  void line.wait({ engineUrl: A, user: "a" }, 999_999, stays);
  clock.advance(30_000);
  expect(line.size).toBe(0);
});

it("forgets a client that leaves at once, and gives its place in the line to the next", async () => {
  const { line, freePlace, clock } = setUp();
  const leaving = new AbortController();
  const first = line.wait({ engineUrl: A, user: "a" }, 10_000, leaving.signal);
  const seen: string[] = [];
  const second = join(line, seen, "b");
  leaving.abort();
  expect(await first).toEqual({ ok: false, reason: "body_broken" });
  freePlace();
  await second;
  expect(seen).toEqual(["b"]);
  expect(clock.due).toEqual([]);
  const late = await line.wait({ engineUrl: A, user: "a" }, 10_000, AbortSignal.abort());
  expect([late.ok, line.size]).toEqual([false, 0]);
});

it("sends all away when the node takes nothing any more, or their engine is gone", async () => {
  const { line, gone } = setUp();
  const seen: string[] = [];
  const both = [join(line, seen, "a"), join(line, seen, "b")];
  line.sendAway("draining");
  await Promise.all(both);
  expect(seen).toEqual(["a: draining", "b: draining"]);
  const third = join(line, seen, "c");
  gone.add(A);
  line.serve();
  await third;
  expect(seen.at(-1)).toBe("c: busy");
});
