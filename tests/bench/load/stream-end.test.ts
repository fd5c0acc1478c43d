import { expect, it } from "vitest";
import { streamEnd } from "./stream-end";

const text = (content: string): string =>
  `data: {"choices":[{"delta":{"content":${JSON.stringify(content)}},"finish_reason":null}]}\n\n`;
const FINISH = 'data: {"choices":[{"delta":{},"finish_reason":"length"}]}\n\n';
const DONE = "data: [DONE]\n\n";

it("takes a stream for whole only with all its text, a reason for its end, and [DONE]", () => {
  expect(streamEnd(200, text("a") + text("b") + FINISH + DONE, 2)).toBe("whole");
  expect(streamEnd(200, text("a") + FINISH + DONE, 2)).toBe("short");
  expect(streamEnd(200, text("a") + text("b") + DONE, 2)).toBe("not_done");
  expect(streamEnd(200, text("a") + text("b") + FINISH, 2)).toBe("not_done");
  expect(streamEnd(200, text("a") + text("b") + FINISH + DONE.slice(0, -1), 2)).toBe("not_done");
  expect(streamEnd(200, "", 2)).toBe("not_done");
});

it("sees an error although [DONE] follows it", () => {
  const error = 'data: {"error":{"code":"budget_exhausted","message":"x"}}\n\n';
  expect(streamEnd(200, text("a") + error + DONE, 1)).toBe("error:budget_exhausted");
});

it("is not misled by a text that speaks of errors or of [DONE]", () => {
  const odd = text('data: {"error":1}\n\ndata: [DONE]\n\n');
  expect(streamEnd(200, odd + FINISH + DONE, 1)).toBe("whole");
});

it("tells a refusal, and an event that was mixed up on its way", () => {
  expect(streamEnd(402, "", 1)).toBe("status:402");
  expect(streamEnd(200, 'data: {"choices":\n\n', 1)).toBe("malformed");
});
