import { type Engine, jsonResponse, type Refusal, type Voice } from "../voice";

/** A server that keeps to OpenAI's documentation and belongs to nobody. */
export const plain: Voice = {
  name: "plain",
  headers: {},
  jsonType: "application/json",
  streamType: "text/event-stream; charset=utf-8",
  chunks: {
    top: ',"system_fingerprint":null',
    choice: ',"logprobs":null',
    role: "own-empty",
    finishOnLast: false,
    finishChoice: "",
    nullUsage: true,
    usageInCompletions: "asked",
    last: () => "",
  },
  emptyStreamOptionsMeanUsage: false,
  toolArgumentStep: 5,
  refusesLongPrompts: true,
  streamErrorsAre200: false,
  numbersResponseEvents: true,
  streamHeaders: { "cache-control": "no-cache" },
  apis: new Set(["chat", "completions", "responses", "messages", "embeddings", "transcriptions"]),
  answerId: (api, token) => `${PREFIX[api]}${token}`,
  needsKey: () => true,
  resolve(engine, asked) {
    const model = engine.models.find(({ id }) => id === asked);
    return model ? { model, reported: model.id } : null;
  },
  refuse(refusal, api) {
    const { status, message, type, param, code } = words(refusal);
    if (api === "messages") {
      return { status, body: JSON.stringify({ type: "error", error: { type, message } }) };
    }
    return { status, body: JSON.stringify({ error: { message, type, param, code } }) };
  },
  streamFailure({ api }) {
    const { body } = plain.refuse({ reason: "failed", status: 500 }, api);
    if (api === "messages") return `event: error\ndata: ${body}\n\n`;
    if (api === "responses") {
      const error = { code: "server_error", message: "The server had an error." };
      const failed = {
        type: "response.failed",
        response: { object: "response", status: "failed", error },
      };
      return `event: response.failed\ndata: ${JSON.stringify(failed)}\n\n`;
    }
    return `data: ${body}\n\n`;
  },
  route,
  unknown: (method, path, known) =>
    jsonResponse(
      plain,
      {
        error: {
          message: `Unknown request URL: ${method} ${path}.`,
          type: "invalid_request_error",
          param: null,
          code: known ? "method_not_allowed" : "unknown_url",
        },
      },
      known ? 405 : 404,
    ),
};

const PREFIX = {
  chat: "chatcmpl-",
  completions: "cmpl-",
  responses: "resp_",
  messages: "msg_",
} as const;

type Words = {
  status: number;
  message: string;
  type: string;
  param: string | null;
  code: string | null;
};

function words(refusal: Refusal): Words {
  const bad = { status: 400, type: "invalid_request_error", param: null, code: null };
  const failed = { status: 503, type: "server_error", param: null, code: null };
  switch (refusal.reason) {
    case "bad_json":
      return { ...bad, message: "We could not parse the JSON body of your request." };
    case "bad_request":
      return { ...bad, message: refusal.message, param: refusal.param };
    case "model_not_found":
      return {
        ...bad,
        status: 404,
        message: `The model '${refusal.model}' does not exist.`,
        code: "model_not_found",
      };
    case "context":
      return {
        ...bad,
        message: `This model's maximum context length is ${refusal.contextLength} tokens; your prompt has ${refusal.promptTokens}.`,
        param: "messages",
        code: "context_length_exceeded",
      };
    case "unauthorized":
      return {
        ...bad,
        status: 401,
        message: "Incorrect API key provided.",
        code: "invalid_api_key",
      };
    case "busy":
    case "loading":
      return { ...failed, message: "The server is overloaded; try again." };
    default:
      return { ...failed, status: refusal.status, message: "The server had an error." };
  }
}

function route(engine: Engine, method: string, path: string): Response | null {
  if (method !== "GET" && method !== "HEAD") return null;
  const cards = engine.models.map(({ id, createdAt }) => ({
    id,
    object: "model",
    created: createdAt,
    owned_by: "demo",
  }));
  if (path === "/v1/models") return jsonResponse(plain, { object: "list", data: cards });
  if (!path.startsWith("/v1/models/")) return null;

  const id = decodeURIComponent(path.slice("/v1/models/".length));
  const card = cards.find((each) => each.id === id);
  if (card !== undefined) return jsonResponse(plain, card);
  return jsonResponse(
    plain,
    plain.refuse({ reason: "model_not_found", model: id }, null).body,
    404,
  );
}
