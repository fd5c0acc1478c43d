import { expect, it } from "vitest";
import type { Readings } from "#peer/lending/readings";
import type { Probe } from "#peer/probes/probe";
import type { Outcome } from "#protocol/outcome";
import type { ProbeRefusal } from "#peer/lending/readings";
import { startLending, type Told } from "./timeline";

type Answer = Outcome<Readings["input"], ProbeRefusal>;

const AWAY: Answer = { ok: true, value: { idleMs: 3_600_000 } };
const HERE: Answer = { ok: true, value: { idleMs: 0 } };

function keyboard(answer: () => Answer | Promise<Answer>): Told & { readonly looks: () => number } {
  let looks = 0;
  const probe: Probe = {
    signal: "input",
    source: "keyboard",
    read: async () => {
      looks += 1;
      return answer();
    },
  };
  return { probes: () => [probe], machine: () => ({}), looks: () => looks };
}

it("looks every second while it lends, every five while it does not, and at once when it lends again", async () => {
  let answer = AWAY;
  const told = keyboard(() => answer);
  const { lending, clock } = startLending(told);
  await lending.start();
  const after = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      clock.advance(1_000);
      await lending.settled();
    }
    return told.looks();
  };
  const atStart = told.looks();
  expect(await after(3)).toBe(atStart + 3);
  answer = HERE;
  const whenHere = await after(1);
  expect(lending.isOpen).toBe(false);
  expect(await after(10)).toBe(whenHere + 2);
  await lending.pause(1_500);
  answer = AWAY;
  await after(5);
  const before = told.looks();
  expect(lending.isOpen).toBe(true);
  expect(await after(1)).toBe(before + 1);
});

it("does not stop lending for one look that failed, nor believe for long in what it can see no more", async () => {
  let answer: Answer = HERE;
  const told = keyboard(() => answer);
  const { lending, clock } = startLending(told);
  await lending.start();
  answer = { ok: false, reason: "timeout" };
  for (let look = 0; look < 2; look++) {
    clock.advance(5_000);
    await lending.settled();
    expect(lending.decision).toMatchObject({ lends: false, reason: "user_active" });
  }
  clock.advance(5_000);
  await lending.settled();
  expect(lending.decision).toMatchObject({
    lends: true,
    why: "nothing tells whether somebody uses this machine",
  });
  expect(lending.looks()).toEqual([{ signal: "input", source: "keyboard", state: "timeout" }]);
  const lost = told.looks();
  for (let second = 0; second < 20; second++) {
    clock.advance(1_000);
    await lending.settled();
  }
  expect(told.looks()).toBe(lost);
  answer = HERE;
  clock.advance(1_000);
  await lending.settled();
  expect(lending.isOpen).toBe(false);
});

it("counts failures in a row only", async () => {
  let answer: Answer = HERE;
  const { lending, clock } = startLending(keyboard(() => answer));
  await lending.start();
  for (const each of ["timeout", "timeout", "ok", "timeout", "timeout"] as const) {
    answer = each === "ok" ? HERE : { ok: false, reason: each };
    clock.advance(5_000);
    await lending.settled();
  }
  expect(lending.decision).toMatchObject({ lends: false, reason: "user_active" });
});

it("looks seldom for a tool that is not there, and uses it once it is", async () => {
  let answer: Answer = { ok: false, reason: "absent" };
  const told = keyboard(() => answer);
  const { lending, clock } = startLending(told);
  await lending.start();
  const once = told.looks();
  answer = HERE;
  for (let second = 0; second < 60; second++) {
    clock.advance(1_000);
    await lending.settled();
  }
  expect([told.looks(), lending.isOpen]).toEqual([once, true]);
  clock.advance(1_000);
  await lending.settled();
  expect(lending.isOpen).toBe(false);
});

it("waits for nobody: while a look hangs, its owner's word counts", async () => {
  const hanging = Promise.withResolvers<Answer>();
  let answer: Answer | Promise<Answer> = AWAY;
  const { lending, clock } = startLending(keyboard(() => answer));
  await lending.start();
  await lending.settled();
  answer = hanging.promise;
  clock.advance(60_000);
  expect(lending.isOpen).toBe(true);
  await lending.pause(undefined);
  expect(lending.isOpen).toBe(false);
  await lending.resume();
  expect(lending.isOpen).toBe(true);
  hanging.resolve(HERE);
  await lending.settled();
  expect(lending.isOpen).toBe(false);
});

it("tells nothing and looks at nothing more once it is stopped", async () => {
  const told = keyboard(() => AWAY);
  const { lending, clock } = startLending(told);
  await lending.start();
  await lending.settled();
  const before = told.looks();
  lending.stop();
  clock.advance(60_000);
  await lending.settled();
  expect(told.looks()).toBe(before);
  expect(clock.due).toEqual([]);
});
