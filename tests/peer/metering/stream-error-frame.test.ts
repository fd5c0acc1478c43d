import { expect, it } from "vitest";
import { apiOfPath } from "#peer/metering/api-of-path";
import { streamErrorFrame } from "#peer/metering/stream-error-frame";
import { OpenAiError } from "#protocol/openai-error";

const ERROR = { code: "stream_broken", message: "The engine left." } as const;

it("knows an API by its path, whatever the query", () => {
  expect(apiOfPath("/v1/chat/completions")).toBe("chat");
  expect(apiOfPath("/v1/completions?x=/v1/responses")).toBe("completions");
  expect(apiOfPath("/v1/messages?beta=true")).toBe("messages");
  expect(apiOfPath("/v1/responses")).toBe("responses");
  expect(apiOfPath("/v1/responses/resp_1")).toBe("other");
  expect(apiOfPath("/v1/embeddings")).toBe("other");
});

it.each(["chat", "completions"] as const)("ends %s with an error and [DONE]", (api) => {
  const [error = "", done] = streamErrorFrame(api, ERROR).split("\n\n");
  const body = OpenAiError.parse(JSON.parse(error.replace(/^data: /, "")));
  expect(body.error).toMatchObject({ code: "stream_broken", message: ERROR.message });
  expect(done).toBe("data: [DONE]");
});

it("ends responses with response.failed, numbered after the last event", () => {
  const frame = streamErrorFrame("responses", ERROR, { responseId: "resp_9", sequenceNumber: 8 });
  const [name, line = "", ...rest] = frame.split("\n");
  expect(name).toBe("event: response.failed");
  expect(JSON.parse(line.replace(/^data: /, ""))).toMatchObject({
    type: "response.failed",
    sequence_number: 8,
    response: { id: "resp_9", status: "failed", error: ERROR },
  });
  expect(rest).toEqual(["", ""]);
});

it("ends messages with Anthropic's error event", () => {
  expect(streamErrorFrame("messages", ERROR)).toBe(
    `event: error\ndata: {"type":"error","error":{"type":"api_error","message":"${ERROR.message}"}}\n\n`,
  );
});

it("ends any other stream with an error that says what it is", () => {
  const frame = streamErrorFrame("other", ERROR);
  expect(OpenAiError.parse(JSON.parse(frame.replace(/^data: /, ""))).error.code).toBe(
    "stream_broken",
  );
});
