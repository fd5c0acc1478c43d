import { type ConformanceCase, jsonCase, userSays } from "../conformance-case";

const MESSAGES = "/v1/messages?beta=true";
const headers = {
  "anthropic-version": "2023-06-01",
  "anthropic-beta": "fine-grained-tool-streaming-2025-05-14",
};
const hello = { messages: userSays("hello wörld"), max_tokens: 30 };

export const messagesCases: readonly ConformanceCase[] = [
  jsonCase({
    name: "a message",
    target: MESSAGES,
    headers,
    body: hello,
    holds: ['"type":"message"', '"stop_reason"'],
  }),
  jsonCase({
    name: "a streamed message with its event names",
    target: MESSAGES,
    headers,
    body: { ...hello, stream: true },
    holds: ["event: message_start\n", "event: message_stop\n"],
  }),
  jsonCase({
    name: "a message with system blocks",
    target: MESSAGES,
    headers,
    body: { ...hello, system: [{ type: "text", text: "Be short." }] },
  }),
  jsonCase({
    name: "a count of a message's tokens",
    target: "/v1/messages/count_tokens?beta=true",
    headers,
    body: hello,
    holds: ['"input_tokens"'],
  }),
  jsonCase({
    name: "a message without messages",
    target: MESSAGES,
    headers,
    body: { max_tokens: 5 },
    status: 500,
  }),
];
