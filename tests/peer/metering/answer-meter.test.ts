import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { type AnswerMeter, createAnswerMeter, meterWhole } from "#peer/metering/answer-meter";
import type { ApiShape } from "#peer/metering/api-of-path";

const STREAM = { contentType: "text/event-stream; charset=utf-8", contentEncoding: null };

function fed(api: ApiShape, text: string, answer = STREAM): AnswerMeter {
  const meter = createAnswerMeter({ api, ...answer });
  meter.feed(Buffer.from(text));
  return meter;
}

it("hashes and counts every byte", () => {
  const meter = createAnswerMeter({ api: "chat", ...STREAM });
  const chunks = Array.from({ length: 200 }, (_, index) => Buffer.alloc(97, index));
  for (const chunk of chunks) meter.feed(chunk);
  expect(meter.bytes).toBe(200 * 97);
  const whole = createHash("sha256").update(Buffer.concat(chunks)).digest("base64url");
  expect(meter.hash()).toBe(whole);
});

it("finds the usage behind an answer of any length, and in front of one", () => {
  const usage = '"usage":{"prompt_tokens":3,"completion_tokens":5}';
  const long = "x".repeat(100_000);
  const json = { contentType: "application/json", contentEncoding: null };
  expect(fed("chat", `{"text":"${long}",${usage}}`, json).usage().completionTokens).toBe(5);
  expect(fed("other", `{${usage},"data":"${long}"}`, json).usage().promptTokens).toBe(3);
});

it("tells the same of an answer that has come whole", () => {
  const usage = '"usage":{"prompt_tokens":3,"completion_tokens":5}';
  const long = "x".repeat(100_000);
  const texts = [`{${usage}}`, `{"text":"${long}",${usage}}`, `{${usage},"text":"${long}"}`, "é"];
  for (const text of texts) {
    const meter = fed("chat", text);
    const said = { usage: meter.usage(), responseHash: meter.hash() };
    expect(meterWhole(Buffer.from(text))).toEqual(said);
  }
  expect(meterWhole(Buffer.from(texts[1] ?? "")).usage.promptTokens).toBe(3);
  expect(meterWhole(Buffer.alloc(0))).toEqual({ usage: {}, responseHash: undefined });
});

it("takes an end of the bytes for the stream's end only where the engine ends it so", () => {
  const unfinished = 'data: {"id":"1","choices":[{"finish_reason":null}]}\n\n';
  const finished = 'data: {"id":"1","choices":[{"finish_reason":"stop"}]}\n\n';
  expect(fed("chat", unfinished).end("ollama")).toBe("broken");
  expect(fed("chat", finished).end("ollama")).toBe("broken");
  expect(fed("chat", finished).end("openai")).toBe("complete");
  expect(fed("chat", unfinished).end("openai")).toBe("broken");
  expect(fed("chat", `${finished}data: [DONE]\n\n`).end("vllm")).toBe("complete");
  expect(fed("completions", "").end("llamacpp")).toBe("broken");
  const told = 'data: {"error":{"code":500,"message":"no"}}\n\n';
  expect(fed("chat", told).end("llamacpp")).toBe("told");
  expect(fed("messages", "event: message_delta\ndata: {}\n\n").end("vllm")).toBe("broken");
  expect(fed("messages", "event: message_stop\ndata: {}\n\n").end("vllm")).toBe("complete");
  expect(fed("responses", "event: response.output_text.delta\n\n").end("vllm")).toBe("broken");
  expect(fed("responses", "event: response.incomplete\ndata: {}\n\n").end("vllm")).toBe("complete");
  expect(fed("responses", "event: response.failed\ndata: {}\n\n").end("vllm")).toBe("told");
  expect(fed("other", "data: {}\n\n").end("vllm")).toBe("complete");
});

it("has no say over what is no event stream, or a packed one", () => {
  const json = { contentType: "application/json", contentEncoding: null };
  expect(fed("chat", "{}", json).end("ollama")).toBe("complete");
  const error = { code: "stream_broken", message: "x" } as const;
  expect(fed("chat", "{}", json).errorFrame(error)).toBe("");
  const packed = { contentType: "text/event-stream", contentEncoding: "gzip" };
  const meter = createAnswerMeter({ api: "chat", ...packed });
  meter.feed(Buffer.from([31, 139]));
  expect(meter.end("ollama")).toBe("complete");
});

it("ends a broken stream as an event of its own, numbered where events are", () => {
  const error = { code: "stream_broken", message: "gone" } as const;
  expect(fed("chat", 'data: {"id":"1"').errorFrame(error)).toMatch(/^\n\ndata: \{"error":/);
  const created =
    'event: response.created\ndata: {"type":"response.created","sequence_number":0,"response":{"id":"resp_7"}}\n\n';
  const delta =
    'event: x\ndata: {"type":"response.output_text.delta","sequence_number":4,"item_id":"m"}\n\n';
  const frame = fed("responses", created + delta).errorFrame(error);
  expect(frame).toContain('"sequence_number":5');
  expect(frame).toContain('"id":"resp_7"');
});
