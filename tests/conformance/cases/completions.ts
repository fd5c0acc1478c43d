import { type ConformanceCase, jsonCase } from "../conformance-case";

const COMPLETIONS = "/v1/completions";
const story = { prompt: "once there was a tree", max_tokens: 40 };

export const completionsCases: readonly ConformanceCase[] = [
  jsonCase({
    name: "a completion",
    target: COMPLETIONS,
    body: story,
    holds: ['"object":"text_completion"', '"timings"'],
  }),
  jsonCase({
    name: "a streamed completion",
    target: COMPLETIONS,
    body: { ...story, stream: true },
    holds: ["data: [DONE]\n\n"],
  }),
  jsonCase({
    name: "a streamed completion with usage",
    target: COMPLETIONS,
    body: { ...story, stream: true, stream_options: { include_usage: true } },
    holds: ['"usage":{', "data: [DONE]\n\n"],
  }),
  jsonCase({
    name: "a completion with log probabilities",
    target: COMPLETIONS,
    body: { ...story, max_tokens: 6, logprobs: 2 },
    holds: ['"logprobs"'],
  }),
  jsonCase({
    name: "a prompt of token ids",
    target: COMPLETIONS,
    body: { ...story, prompt: [1, 270, 271, 272] },
  }),
  jsonCase({
    name: "a grammar, a field that only this engine knows",
    target: COMPLETIONS,
    body: { ...story, grammar: 'root ::= "yes" | "no"' },
  }),
];
