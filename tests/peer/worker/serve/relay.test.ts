import { expect, it } from "vitest";
import { createAnswer } from "#peer/http/answer";
import type { Job } from "#peer/worker/line/jobs";
import { relay } from "#peer/worker/serve/relay";
import type { AnswerSealer } from "#peer/worker/serve/sealed-answer";

it("ends the engine's work, and tells of it, where the client left before the answer began to leave", async () => {
  const told: string[] = [];
  const job: Job = {
    // The signal of its request was quicker, and what it cut was no answer yet.
    cutBy: "client_left",
    cut() {},
    onCut() {},
    silence: { heard() {}, pause() {}, stop() {} },
    firstByte() {},
    end: ({ outcome }) => void told.push(outcome),
    forget() {},
  };
  const sealer: AnswerSealer = {
    whole: () => expect.unreachable(),
    begin: () => ({
      head: new Uint8Array(1),
      part: (bytes) => bytes,
      end: () => new Uint8Array(1),
      response: (body) => new Response(body),
    }),
  };
  const { answer } = createAnswer(
    { status: 200, headers: [["content-type", "text/event-stream"]], keepsAlive: true },
    { pause() {}, resume() {}, close: () => void told.push("engine left") },
  );
  const onEngineFailure = (): void => expect.unreachable();
  const passed = { job, sealer, engine: "vllm", target: "/v1/chat/completions" } as const;
  await relay(answer, { ...passed, onEngineFailure }).body?.cancel();
  expect(told).toEqual(["engine left", "cancelled"]);
});
