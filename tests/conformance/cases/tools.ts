import { type ConformanceCase, jsonCase, userSays } from "../conformance-case";

const CHAT = "/v1/chat/completions";
const parameters = {
  type: "object",
  properties: { city: { enum: ["Oslo", "Rome"] }, days: { type: "integer", maximum: 9 } },
  required: ["city", "days"],
};
const weather = { type: "function", function: { name: "weather", parameters } };
const forced = {
  messages: userSays("weather?"),
  max_tokens: 200,
  tools: [weather],
  tool_choice: "required",
  parallel_tool_calls: false,
};

export const toolsCases: readonly ConformanceCase[] = [
  jsonCase({
    name: "a tool call",
    engine: "tools",
    target: CHAT,
    body: forced,
    holds: ['"finish_reason":"tool_calls"', '"name":"weather"'],
  }),
  jsonCase({
    name: "a tool call streamed in small pieces of its arguments",
    engine: "tools",
    target: CHAT,
    body: { ...forced, stream: true },
    holds: ['"tool_calls":[{"index":0', '"finish_reason":"tool_calls"'],
  }),
  jsonCase({
    name: "tool calls in parallel",
    engine: "tools",
    target: CHAT,
    body: { ...forced, stream: true, parallel_tool_calls: true },
    holds: ['"tool_calls":[{"index":1,"id"'],
  }),
  jsonCase({
    name: "a tool's result sent back",
    target: CHAT,
    body: {
      max_tokens: 10,
      messages: [
        { role: "user", content: "weather?" },
        {
          role: "assistant",
          content: "",
          tool_calls: [
            {
              id: "a1",
              type: "function",
              function: { name: "weather", arguments: '{"city":"Oslo"}' },
            },
          ],
        },
        { role: "tool", tool_call_id: "a1", content: "rain" },
      ],
    },
  }),
  jsonCase({
    name: "a tool call through responses, streamed",
    engine: "tools",
    target: "/v1/responses",
    body: {
      input: "weather?",
      max_output_tokens: 200,
      tools: [{ type: "function", name: "weather", parameters }],
      tool_choice: "required",
      stream: true,
    },
    holds: ["event: response.function_call_arguments.delta\n"],
  }),
  jsonCase({
    name: "a tool call through messages, streamed",
    engine: "tools",
    target: "/v1/messages?beta=true",
    body: {
      messages: userSays("weather?"),
      max_tokens: 200,
      tools: [{ name: "weather", input_schema: parameters }],
      tool_choice: { type: "any" },
      stream: true,
    },
    holds: ['"type":"input_json_delta"'],
  }),
];
