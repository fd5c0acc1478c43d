import type { DemoModel } from "../settings";
import { type Engine, jsonResponse, type Refusal, type Voice } from "../voice";

const VERSION = "0.11.0";
const HEADERS = { server: "uvicorn" };

export const vllm: Voice = {
  name: "vllm",
  headers: HEADERS,
  jsonType: "application/json",
  streamType: "text/event-stream; charset=utf-8",
  chunks: {
    top: "",
    choice: ',"logprobs":null',
    role: "own-empty",
    finishOnLast: true,
    finishChoice: ',"stop_reason":null',
    nullUsage: false,
    usageInCompletions: "asked",
    last: () => "",
  },
  emptyStreamOptionsMeanUsage: true,
  toolArgumentStep: 4,
  refusesLongPrompts: true,
  streamErrorsAre200: false,
  numbersResponseEvents: true,
  streamHeaders: {},
  apis: new Set(["chat", "completions", "responses", "messages", "embeddings", "transcriptions"]),
  answerId: (api, token) => `${PREFIX[api]}-${token}`,
  needsKey: (path) => path.startsWith("/v1/"),
  resolve(engine, asked) {
    // Without a name, vLLM takes the one it serves.
    const model = asked === "" ? engine.models[0] : engine.models.find(({ id }) => id === asked);
    return model ? { model, reported: model.id } : null;
  },
  refuse(refusal, api) {
    // The middleware that checks keys has a shape of its own: a string.
    if (refusal.reason === "unauthorized") {
      return { status: 401, body: '{"error":"Unauthorized"}' };
    }
    const { status, message, type, param } = words(refusal);
    const error = { message, type, param: param ?? null, code: status };
    if (api === "messages") {
      return { status, body: JSON.stringify({ type: "error", error: { type, message } }) };
    }
    return { status, body: JSON.stringify({ error }) };
  },
  streamFailure({ api }) {
    const { body } = vllm.refuse({ reason: "failed", status: 500 }, api);
    switch (api) {
      case "chat":
      case "completions":
        return `data: ${body}\n\ndata: [DONE]\n\n`;
      default:
        return `event: error\ndata: ${body}\n\n`;
    }
  },
  route,
  unknown: (_method, _path, known) =>
    known
      ? jsonResponse(vllm, { detail: "Method Not Allowed" }, 405)
      : jsonResponse(vllm, { detail: "Not Found" }, 404),
};

const PREFIX = {
  chat: "chatcmpl",
  completions: "cmpl",
  responses: "resp",
  messages: "msg",
} as const;

function words(refusal: Refusal): {
  status: number;
  message: string;
  type: string;
  param?: string | null;
} {
  switch (refusal.reason) {
    case "bad_json":
      return { status: 400, message: "JSON decode error", type: "Bad Request", param: "body" };
    case "bad_request":
      return { status: 400, message: refusal.message, type: "Bad Request", param: refusal.param };
    case "model_not_found":
      return {
        status: 404,
        message: `The model \`${refusal.model}\` does not exist.`,
        type: "NotFoundError",
        param: "model",
      };
    case "context":
      return {
        status: 400,
        message: `This model's maximum context length is ${refusal.contextLength} tokens. However, your request has ${refusal.promptTokens} input tokens.`,
        type: "BadRequestError",
        param: "input_tokens",
      };
    case "unauthorized":
      return { status: 401, message: "Unauthorized", type: "Unauthorized" };
    case "busy":
    case "loading":
      return { status: 503, message: "The server is overloaded", type: "ServiceUnavailableError" };
    default: {
      const type = refusal.status < 500 ? "BadRequestError" : "InternalServerError";
      return { status: refusal.status, message: "EngineCore encountered an issue.", type };
    }
  }
}

function route(engine: Engine, method: string, path: string): Response | null {
  if (method !== "GET" && method !== "HEAD") return null;
  const { slots } = engine;
  switch (path) {
    case "/v1/models":
      return jsonResponse(vllm, { object: "list", data: engine.models.map(card) });
    case "/health":
      return new Response(null, {
        status: engine.settings.health === "ok" ? 200 : 503,
        headers: HEADERS,
      });
    case "/version":
      return jsonResponse(vllm, { version: VERSION });
    case "/load":
      return jsonResponse(vllm, { server_load: slots.busy + slots.waiting });
    case "/metrics":
      return new Response(metrics(engine), {
        headers: { ...HEADERS, "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      });
    default:
      return null;
  }
}

function metrics({ slots, models }: Engine): string {
  const label = `{engine="0",model_name=${JSON.stringify(models[0]?.id ?? "")}}`;
  return [
    "# TYPE vllm:num_requests_running gauge",
    `vllm:num_requests_running${label} ${slots.busy}.0`,
    "# TYPE vllm:num_requests_waiting gauge",
    `vllm:num_requests_waiting${label} ${slots.waiting}.0`,
    "",
  ].join("\n");
}

function card(model: DemoModel): Record<string, unknown> {
  return {
    id: model.id,
    object: "model",
    // The time of the call, not of the model.
    created: Math.floor(Date.now() / 1_000),
    owned_by: "vllm",
    root: model.id,
    parent: null,
    max_model_len: model.lora === true ? null : model.contextLength,
    permission: [{ id: "modelperm-demo", object: "model_permission", allow_sampling: true }],
  };
}
