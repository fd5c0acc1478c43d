import { expect, it } from "vitest";
import { readUsage } from "#peer/metering/usage";

it("reads OpenAI's, Anthropic's and the responses API's figures", () => {
  expect(readUsage(['{"usage":{"prompt_tokens":3,"completion_tokens":5}}'])).toEqual({
    promptTokens: 3,
    completionTokens: 5,
  });
  const details = '"input_tokens_details":{"cached_tokens":0}';
  expect(readUsage([`,"usage":{"input_tokens":7,${details},"output_tokens":2}}}`])).toEqual({
    promptTokens: 7,
    completionTokens: 2,
  });
  const start = '{"message":{"usage":{"input_tokens":4,"cache_read_input_tokens":6}}}';
  expect(readUsage([start, '{"usage":{"output_tokens":9}}'])).toEqual({
    promptTokens: 10,
    completionTokens: 9,
  });
  expect(readUsage(['"usage": {"prompt_tokens": 8, "total_tokens": 8}, "data": ['])).toEqual({
    promptTokens: 8,
  });
});

it("takes the last of several, and none that is zeroed, null or cut", () => {
  const running = '{"usage":{"prompt_tokens":3,"completion_tokens":1}}';
  const later = '{"usage":{"prompt_tokens":3,"completion_tokens":2}}';
  const zeroed = '{"usage":{"prompt_tokens":0,"completion_tokens":0}}';
  expect(readUsage([running + later + zeroed])).toMatchObject({ completionTokens: 2 });
  expect(readUsage([zeroed])).toEqual({});
  expect(readUsage(['{"usage":null}', '{"usage":{"prompt_tok'])).toEqual({});
  expect(readUsage(['{"usage":{"prompt_tokens":-1,"completion_tokens":1e99}}'])).toEqual({});
});

it("reads llama.cpp's timings where nobody asked for usage", () => {
  const timings = '"timings":{"cache_n":2,"prompt_n":5,"prompt_ms":1.5,"predicted_n":7}';
  expect(readUsage([`{${timings}}`])).toEqual({ promptTokens: 7, completionTokens: 7 });
});

it("is not fooled by text that looks like usage", () => {
  const text = JSON.stringify({ content: '"usage":{"prompt_tokens":9,"completion_tokens":9}' });
  expect(readUsage([text])).toEqual({});
});
