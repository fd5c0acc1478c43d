import { expect, it } from "vitest";
import { createAnswer } from "#peer/http/answer";

const HEAD = { status: 200, headers: [], keepsAlive: true } as const;

function underTest() {
  const done: string[] = [];
  const incoming = createAnswer(HEAD, {
    pause: () => done.push("pause"),
    resume: () => done.push("resume"),
    close: () => done.push("close"),
  });
  return { incoming, done };
}

it("makes its sender wait once much of it is unread, until somebody reads", () => {
  const { incoming, done } = underTest();
  const { answer } = incoming;
  incoming.onBody(Buffer.alloc(65_535));
  expect(done).toEqual([]);
  incoming.onBody(Buffer.alloc(1));
  incoming.onBody(Buffer.alloc(1));
  expect(done).toEqual(["pause"]);
  answer.read({ onData() {}, onEnd() {} });
  expect(done).toEqual(["pause", "resume"]);
});

it("lets its connection go on for the next request where all of it came while nobody read", () => {
  const { incoming, done } = underTest();
  const { answer } = incoming;
  incoming.onBody(Buffer.alloc(70_000));
  incoming.onOver(true);
  expect(done).toEqual(["pause", "resume"]);
  // From here on the connection is somebody else's.
  answer.pause();
  answer.cut();
  expect(answer.takeWhole()?.length).toBe(70_000);
  expect(done).toEqual(["pause", "resume"]);
});
