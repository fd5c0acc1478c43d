import { type ConformanceCase, jsonCase, userSays } from "../conformance-case";

const CHAT = "/v1/chat/completions";
const tooLong = { messages: userSays("word ".repeat(4_000)), max_tokens: 5 };

export const errorsCases: readonly ConformanceCase[] = [
  jsonCase({
    name: "a prompt longer than the context",
    target: CHAT,
    body: tooLong,
    status: 400,
    holds: ['"exceed_context_size_error"', '"n_ctx"'],
  }),
  jsonCase({
    name: "a prompt longer than the context where a stream was asked for",
    target: CHAT,
    body: { ...tooLong, stream: true },
    status: 400,
    holds: ['"exceed_context_size_error"'],
  }),
  jsonCase({
    name: "a message longer than the context",
    target: "/v1/messages?beta=true",
    body: { ...tooLong, stream: true },
    status: 400,
  }),
  jsonCase({ name: "a chat without messages", target: CHAT, body: {}, status: 400 }),
  jsonCase({
    name: "a field of the wrong type",
    target: CHAT,
    body: { messages: "hello" },
    status: 400,
  }),
  jsonCase({
    name: "an image to a model that sees none",
    target: CHAT,
    body: {
      messages: userSays([{ type: "image_url", image_url: { url: "data:image/png;base64,aGk=" } }]),
    },
    status: 500,
  }),
  jsonCase({
    name: "a path that the engine does not know",
    target: "/v1/no/such/thing?really=1",
    body: { messages: userSays("hello") },
    status: 404,
    holds: ['"not_found_error"'],
  }),
];
