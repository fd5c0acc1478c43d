import { connect } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { createAnswer } from "#peer/http/answer";
import type { Job } from "#peer/worker/line/jobs";
import { relay } from "#peer/worker/serve/relay";
import type { AnswerSealer } from "#peer/worker/serve/sealed-answer";

const IN_THE_OPEN: AnswerSealer = {
  whole: () => expect.unreachable(),
  begin: () => ({
    head: new Uint8Array(1),
    part: (bytes) => bytes,
    end: () => new Uint8Array(1),
    response: (body) => new Response(body),
  }),
};
const PASSED = {
  sealer: IN_THE_OPEN,
  engine: "vllm",
  target: "/v1/chat/completions",
  onEngineFailure: () => expect.unreachable(),
} as const;
const STREAM = {
  status: 200,
  headers: [["content-type", "text/event-stream"]],
  keepsAlive: true,
} as const;

it("ends the engine's work, and tells of it, where the client left before the answer began to leave", async () => {
  const told: string[] = [];
  const job: Job = {
    // The signal of its request was quicker, and what it cut was no answer yet.
    cutBy: "client_left",
    cut() {},
    onCut() {},
    silence: { heard() {}, pause() {}, look() {}, stop() {} },
    firstByte() {},
    end: ({ outcome }) => void told.push(outcome),
    forget() {},
  };
  const { answer } = createAnswer(STREAM, {
    pause() {},
    resume() {},
    close: () => void told.push("engine left"),
  });
  await relay(answer, { ...PASSED, job }).body?.cancel();
  expect(told).toEqual(["engine left", "cancelled"]);
});

it("does not take an engine for silent that a slow reader keeps waiting", async () => {
  const told: string[] = [];
  const job: Job = {
    cutBy: undefined,
    cut() {},
    onCut() {},
    silence: {
      heard: () => void told.push("heard"),
      pause: () => void told.push("nobody counts"),
      look() {},
      stop() {},
    },
    firstByte() {},
    end: ({ outcome }) => void told.push(outcome),
    forget() {},
  };
  const incoming = createAnswer(STREAM, {
    pause: () => void told.push("engine waits"),
    resume: () => void told.push("engine goes on"),
    close() {},
  });
  const begun = Promise.withResolvers<void>();
  const server = Bun.serve({
    port: 0,
    fetch() {
      queueMicrotask(begun.resolve);
      return relay(incoming.answer, { ...PASSED, job });
    },
  });
  const reader = connect(server.port ?? 0, "127.0.0.1");
  onTestFinished(async () => {
    reader.destroy();
    await server.stop(true);
  });
  reader.pause();
  reader.write("GET / HTTP/1.1\r\nhost: here\r\n\r\n");
  await begun.promise;
  const event = Buffer.from(`data: {"id":"${"x".repeat(65_536)}"}\n\n`);
  for (let sent = 0; sent < 1_000 && told.at(-1) !== "nobody counts"; sent += 1) {
    incoming.onBody(event);
    await turn();
  }
  expect(told.slice(-3)).toEqual(["heard", "engine waits", "nobody counts"]);
  const held = told.length;
  reader.resume();
  while (told.at(-1) !== "engine goes on") await turn();
  expect(told.slice(held)).toEqual(["heard", "engine goes on"]);
  incoming.onBody(Buffer.from("data: [DONE]\n\n"));
  incoming.onOver(true);
  expect(told.slice(held + 2)).toEqual(["heard", "completed"]);
});

function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
