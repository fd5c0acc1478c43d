import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { seenEnd, unreadEnd, wholeEnd } from "#peer/client/acks/seen-end";
import { createAnswerMeter } from "#peer/metering/answer-meter";
import { streamErrorFrame } from "#peer/metering/stream-error-frame";

const OK = { status: 200, refusal: undefined };
const CHUNK = 'data: {"id":"1","choices":[{"delta":{"content":"a"}}]}\n\n';
const DONE = "data: [DONE]\n\n";

function fed(text: string, contentType = "text/event-stream") {
  const meter = createAnswerMeter({ api: "chat", contentType, contentEncoding: undefined });
  if (text !== "") meter.feed(Buffer.from(text));
  return meter;
}

function told(code: "budget_exhausted" | "stream_broken"): string {
  return CHUNK + streamErrorFrame("chat", { code, message: "It ended." });
}

it.each(["", "{}", '{"usage":{"prompt_tokens":9,"completion_tokens":2}}', "x".repeat(9_000)])(
  "sees the same of an answer that has come whole as of one that was read along: %#",
  (text) => {
    for (const said of [OK, { status: 500, refusal: undefined }]) {
      const readAlong = seenEnd("whole", said, "vllm", fed(text, "application/json"));
      expect(wholeEnd(said, Buffer.from(text))).toEqual(readAlong);
    }
  },
);

describe("the outcome", () => {
  it.each([
    ["a stream with its end", "whole", CHUNK + DONE, "completed"],
    ["a stream that just stops", "whole", CHUNK, "engine_error"],
    ["a stream whose connection broke", "broken", CHUNK, "engine_error"],
    ["a stream that tells of its failure", "whole", told("stream_broken"), "engine_error"],
    ["a stream that ran out of budget", "whole", told("budget_exhausted"), "budget_exhausted"],
    [
      "one that ran out of budget, then broke",
      "broken",
      told("budget_exhausted"),
      "budget_exhausted",
    ],
    ["a stream that the app left", "left", CHUNK, "cancelled"],
    ["a stream that the app left behind its end", "left", CHUNK + DONE, "cancelled"],
  ] as const)("of %s", (_, how, text, outcome) => {
    expect(seenEnd(how, OK, "vllm", fed(text)).outcome).toBe(outcome);
  });

  it.each([
    [200, undefined, "completed"],
    [404, undefined, "completed"],
    [429, undefined, "engine_error"],
    [500, undefined, "engine_error"],
    [402, "budget_exhausted", "budget_exhausted"],
    [503, "node_busy", "engine_error"],
    [400, "invalid_request", "engine_error"],
  ])("of a whole answer with status %i and refusal %s", (status, refusal, outcome) => {
    const meter = fed("{}", "application/json");
    expect(seenEnd("whole", { status, refusal }, "vllm", meter).outcome).toBe(outcome);
    expect(
      seenEnd("broken", { status: 200, refusal: undefined }, "vllm", fed("{", "application/json"))
        .outcome,
    ).toBe("engine_error");
  });

  it.each([
    [200, undefined, "cancelled"],
    [500, undefined, "engine_error"],
    [402, "budget_exhausted", "budget_exhausted"],
  ])("of an answer that no app got, with status %i and refusal %s", (status, refusal, outcome) => {
    expect(unreadEnd({ status, refusal })).toEqual({ outcome });
  });
});

it("tells the tokens that the answer tells, and the hash of the bytes that came", () => {
  const text = '{"usage":{"prompt_tokens":12,"completion_tokens":34}}';
  expect(seenEnd("whole", OK, "vllm", fed(text, "application/json"))).toEqual({
    outcome: "completed",
    prompt_tokens: 12,
    completion_tokens: 34,
    response_hash: createHash("sha256").update(text).digest("base64url"),
  });
});

it("tells no hash where nothing came", () => {
  expect(seenEnd("broken", OK, "vllm", fed(""))).toEqual({ outcome: "engine_error" });
});
