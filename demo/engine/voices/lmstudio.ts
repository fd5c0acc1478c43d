import type { DemoModel } from "../settings";
import { readFields, unload } from "../unload";
import { type Engine, jsonResponse, type Refusal, type Voice } from "../voice";

const HEADERS = { "x-powered-by": "Express" };

export const lmstudio: Voice = {
  name: "lmstudio",
  headers: HEADERS,
  jsonType: "application/json; charset=utf-8",
  streamType: "text/event-stream",
  chunks: {
    top: ',"system_fingerprint":"demo"',
    choice: ',"logprobs":null',
    role: "every",
    finishOnLast: false,
    finishChoice: "",
    nullUsage: false,
    usageInCompletions: "asked",
    last: () => "",
  },
  emptyStreamOptionsMeanUsage: false,
  toolArgumentStep: 6,
  refusesLongPrompts: true,
  streamErrorsAre200: true,
  numbersResponseEvents: true,
  streamHeaders: { "cache-control": "no-cache" },
  apis: new Set(["chat", "completions", "responses", "messages", "embeddings"]),
  answerId: (api, token) => `${PREFIX[api]}${token.slice(0, 20)}`,
  needsKey: () => true,
  resolve(engine, asked) {
    const named = engine.models.find(({ id }) => id === asked);
    if (named !== undefined) return { model: named, reported: named.id };
    // With one model loaded it answers with that one, whatever was asked for.
    const inMemory = engine.models.filter(({ loaded }) => loaded);
    const only = inMemory.length === 1 ? inMemory[0] : undefined;
    return only ? { model: only, reported: only.id } : null;
  },
  refuse(refusal, api) {
    const { status, message, code } = words(refusal);
    const error = { message, type: "invalid_request_error", param: "model", code };
    if (api === "messages") {
      return {
        status,
        body: JSON.stringify({ type: "error", error: { type: error.type, message } }),
      };
    }
    return { status, body: JSON.stringify({ error }) };
  },
  streamFailure({ api }) {
    const { body } = lmstudio.refuse({ reason: "failed", status: 500 }, api);
    return `event: error\ndata: ${body}\n\n`;
  },
  route,
  // Status 200: a probe for another engine's path seems to succeed here.
  unknown: (method, path) =>
    jsonResponse(lmstudio, { error: `Unexpected endpoint or method. (${method} ${path})` }),
};

const PREFIX = {
  chat: "chatcmpl-",
  completions: "cmpl-",
  responses: "resp_",
  messages: "msg_",
} as const;

function words(refusal: Refusal): { status: number; message: string; code: string | null } {
  switch (refusal.reason) {
    case "bad_json":
      return { status: 400, message: "Unexpected token in JSON at position 0", code: null };
    case "bad_request":
      return { status: 400, message: refusal.message, code: null };
    case "model_not_found":
      return {
        status: 404,
        message: `Model "${refusal.model}" not found. Please specify a valid model.`,
        code: "model_not_found",
      };
    case "context":
      return {
        status: 400,
        message: `The number of tokens to keep from the initial prompt (${refusal.promptTokens}) is greater than the context length (${refusal.contextLength}).`,
        code: null,
      };
    case "unauthorized":
      return {
        status: 401,
        message: "An LM Studio API token is required.",
        code: "invalid_api_key",
      };
    case "busy":
    case "loading":
      return { status: 503, message: "The model is busy.", code: null };
    default:
      return {
        status: refusal.status,
        message: "The model has crashed without additional information. (Exit code: 6)",
        code: null,
      };
  }
}

function route(
  engine: Engine,
  method: string,
  path: string,
  request: Request,
): Response | Promise<Response> | null {
  if (method === "POST" && path === "/api/v1/models/unload") return unloadInstance(engine, request);
  if (method !== "GET" && method !== "HEAD") return null;
  switch (path) {
    case "/v1/models":
      return jsonResponse(lmstudio, {
        data: engine.models.map(({ id }) => ({
          id,
          object: "model",
          owned_by: "organization_owner",
        })),
        object: "list",
      });
    case "/api/v0/models":
      return jsonResponse(lmstudio, { data: engine.models.map(v0Model), object: "list" });
    case "/api/v1/models":
      return jsonResponse(lmstudio, {
        models: engine.models.map((model) => v1Model(model, engine)),
      });
    default:
      return null;
  }
}

async function unloadInstance(engine: Engine, request: Request): Promise<Response> {
  const { instance_id } = await readFields(request);
  if (unload(engine, instance_id)) return jsonResponse(lmstudio, { instance_id });
  const error = {
    type: "invalid_request",
    message: "There is no such instance",
    code: "not_found",
  };
  return jsonResponse(lmstudio, { error }, 404);
}

function v0Model(model: DemoModel): Record<string, unknown> {
  return {
    id: model.id,
    object: "model",
    type: model.kind === "chat" ? "llm" : "embeddings",
    publisher: "demo-org",
    arch: "llama",
    compatibility_type: "gguf",
    quantization: model.quantization ?? "",
    state: model.loaded ? "loaded" : "not-loaded",
    max_context_length: model.maxContextLength ?? model.contextLength,
    ...(model.loaded ? { loaded_context_length: model.contextLength } : {}),
  };
}

function v1Model(model: DemoModel, { settings }: Engine): Record<string, unknown> {
  const config = { context_length: model.contextLength, parallel: settings.slots };
  return {
    type: model.kind === "chat" ? "llm" : "embedding",
    publisher: "demo-org",
    key: model.id,
    display_name: model.id,
    architecture: "llama",
    quantization: { name: model.quantization ?? null, bits_per_weight: 4 },
    size_bytes: 1_321_098_329,
    params_string: "1B",
    loaded_instances: model.loaded ? [{ id: model.id, config }] : [],
    max_context_length: model.maxContextLength ?? model.contextLength,
    format: "gguf",
    capabilities: { vision: false, trained_for_tool_use: true },
  };
}
