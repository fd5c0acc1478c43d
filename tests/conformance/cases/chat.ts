import { type ConformanceCase, jsonCase, postText, userSays } from "../conformance-case";

const CHAT = "/v1/chat/completions";
const hello = { messages: userSays("hello wörld 日本 🙂"), max_tokens: 60 };
const DONE = "data: [DONE]\n\n";

/** JSON that any re-serialising changes: spaces, escapes, number forms, an unknown field, key order. */
function peculiarJson(model: string): string {
  return `{ "stream" : true,\r\n\t"messages":[{"content":"caf\\u00e9 \\/ \\ud83d\\ude42","role":"user"}],
    "x_unknown": {"b":1.50,"a":1E2,"big":12345678901234567890}, "max_tokens":8, "seed":7.0,
    "temperature":0.0, "model":${JSON.stringify(model).replace("/", "\\/")} }\n`;
}

export const chatCases: readonly ConformanceCase[] = [
  jsonCase({ name: "a chat answer", target: CHAT, body: hello, holds: ['"timings"', '"usage"'] }),
  jsonCase({
    name: "a streamed chat answer without usage",
    target: CHAT,
    body: { ...hello, stream: true },
    holds: ['"role":"assistant","content":null', '"timings"', DONE],
  }),
  jsonCase({
    name: "a streamed chat answer with the usage chunk that was asked for",
    target: CHAT,
    body: { ...hello, stream: true, stream_options: { include_usage: true } },
    holds: ['"choices":[],', '"usage":{', DONE],
  }),
  jsonCase({
    name: "a streamed chat answer with usage explicitly off",
    target: CHAT,
    body: { ...hello, stream: true, stream_options: { include_usage: false } },
    holds: [DONE],
  }),
  jsonCase({
    name: "log probabilities",
    target: CHAT,
    body: { ...hello, max_tokens: 8, logprobs: true, top_logprobs: 3 },
    holds: ['"top_logprobs"'],
  }),
  jsonCase({
    name: "streamed log probabilities",
    target: CHAT,
    body: { ...hello, max_tokens: 8, stream: true, logprobs: true, top_logprobs: 3 },
    holds: ['"top_logprobs"'],
  }),
  jsonCase({
    name: "timings in every chunk, a field that only this engine knows",
    target: CHAT,
    body: { ...hello, max_tokens: 8, stream: true, timings_per_token: true },
    holds: ['"timings"'],
  }),
  jsonCase({
    name: "several turns with a system message",
    target: CHAT,
    body: {
      max_tokens: 20,
      messages: [
        { role: "system", content: "Be short." },
        { role: "user", content: "one" },
        { role: "assistant", content: "two" },
        { role: "user", content: [{ type: "text", text: "three" }] },
      ],
    },
  }),
  jsonCase({
    name: "a stop sequence",
    target: CHAT,
    body: { ...hello, stream: true, stop: [" the", " to"] },
    holds: ['"finish_reason":"stop"'],
  }),
  jsonCase({
    name: "two choices",
    target: CHAT,
    body: { ...hello, max_tokens: 8, n: 2 },
    holds: ['"index":1'],
  }),
  {
    name: "JSON of peculiar form",
    engine: "words",
    request: (model) => postText(CHAT, peculiarJson(model)),
    status: 200,
    holds: [DONE],
  },
];
