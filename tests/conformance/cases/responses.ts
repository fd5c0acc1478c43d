import { type ConformanceCase, jsonCase } from "../conformance-case";

const RESPONSES = "/v1/responses";
const hello = { input: "hello wörld", max_output_tokens: 30 };

export const responsesCases: readonly ConformanceCase[] = [
  jsonCase({ name: "a response", target: RESPONSES, body: hello, holds: ['"output_text"'] }),
  jsonCase({
    name: "a streamed response with its event names",
    target: RESPONSES,
    body: { ...hello, stream: true },
    holds: ["event: response.created\n", "event: response.completed\n"],
  }),
  jsonCase({
    name: "a response to several turns under instructions",
    target: RESPONSES,
    body: {
      instructions: "Be short.",
      max_output_tokens: 12,
      input: [
        { role: "user", content: [{ type: "input_text", text: "one" }] },
        {
          type: "message",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "two" }],
        },
        { role: "user", content: [{ type: "input_text", text: "three" }] },
      ],
    },
  }),
  jsonCase({
    name: "a count of input tokens",
    target: "/v1/responses/input_tokens",
    body: { input: "hello wörld" },
    holds: ['"input_tokens"'],
  }),
  jsonCase({ name: "a response without input", target: RESPONSES, body: {}, status: 400 }),
];
