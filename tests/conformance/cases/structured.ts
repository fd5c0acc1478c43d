import { type ConformanceCase, jsonCase, userSays } from "../conformance-case";

const CHAT = "/v1/chat/completions";
const schema = {
  type: "object",
  properties: { colour: { enum: ["red", "blue"] }, size: { type: "integer", maximum: 9 } },
  required: ["colour", "size"],
  additionalProperties: false,
};
const answer = {
  messages: userSays("which?"),
  max_tokens: 80,
  response_format: { type: "json_schema", json_schema: { name: "choice", strict: true, schema } },
};

export const structuredCases: readonly ConformanceCase[] = [
  jsonCase({ name: "an answer of a JSON schema", target: CHAT, body: answer, holds: ["colour"] }),
  jsonCase({
    name: "a streamed answer of a JSON schema",
    target: CHAT,
    body: { ...answer, stream: true },
    holds: ["data: [DONE]\n\n"],
  }),
  jsonCase({
    name: "an answer that is any JSON object",
    target: CHAT,
    body: { ...answer, response_format: { type: "json_object" }, max_tokens: 20 },
  }),
  jsonCase({
    name: "a JSON schema that makes no sense",
    target: CHAT,
    body: {
      ...answer,
      response_format: { type: "json_schema", json_schema: { schema: { type: "nonsense" } } },
    },
    status: 400,
  }),
];
