import type { Answer } from "../answer";
import type { DemoModel } from "../settings";
import { readFields, unload } from "../unload";
import { type Engine, jsonResponse, type Refusal, type Voice } from "../voice";

const BUILD = "b6710-demo";
const HEADERS = { server: "llama.cpp" };

export const llamacpp: Voice = {
  name: "llamacpp",
  headers: HEADERS,
  jsonType: "application/json; charset=utf-8",
  streamType: "text/event-stream",
  chunks: {
    top: `,"system_fingerprint":"${BUILD}"`,
    choice: "",
    role: "own-null",
    finishOnLast: false,
    finishChoice: "",
    nullUsage: false,
    usageInCompletions: "last",
    last: timings,
  },
  emptyStreamOptionsMeanUsage: false,
  toolArgumentStep: 2,
  refusesLongPrompts: true,
  streamErrorsAre200: false,
  numbersResponseEvents: false,
  streamHeaders: { "x-accel-buffering": "no" },
  apis: new Set(["chat", "completions", "responses", "messages", "embeddings", "transcriptions"]),
  answerId: (api, token) => `${PREFIX[api]}${token}`,
  needsKey: (path) => !OPEN_PATHS.has(path),
  resolve(engine, asked) {
    const named = engine.models.find(({ id }) => id === asked);
    if (isRouter(engine)) return named ? { model: named, reported: named.id } : null;
    // One model, which answers under its own name to any other.
    const only = engine.models[0];
    return only ? { model: only, reported: only.id } : null;
  },
  // One shape for all APIs: /v1/messages has no errors in Anthropic's shape here.
  refuse(refusal) {
    const { status, ...error } = words(refusal);
    return { status, body: JSON.stringify({ error: { code: status, ...error } }) };
  },
  streamFailure({ api }) {
    const { body } = llamacpp.refuse({ reason: "failed", status: 500 }, null);
    return api === "messages" ? `event: error\ndata: ${body}\n\n` : `data: ${body}\n\n`;
  },
  route,
  unknown: () =>
    jsonResponse(
      llamacpp,
      { error: { code: 404, message: "File Not Found", type: "not_found_error" } },
      404,
    ),
};

const PREFIX = {
  chat: "chatcmpl-",
  completions: "cmpl-",
  responses: "resp_",
  messages: "msg_",
} as const;

const OPEN_PATHS = new Set(["/health", "/v1/health", "/models", "/v1/models", "/api/tags"]);
const LISTINGS = new Set([...OPEN_PATHS, "/props", "/slots", "/metrics"]);

type Words = {
  status: number;
  message: string;
  type: string;
  n_prompt_tokens?: number;
  n_ctx?: number;
};

function words(refusal: Refusal): Words {
  switch (refusal.reason) {
    case "bad_json":
      return {
        status: 500,
        message: "[json.exception.parse_error.101] parse error at line 1, column 1",
        type: "server_error",
      };
    case "bad_request":
      return { status: 400, message: refusal.message, type: "invalid_request_error" };
    case "model_not_found":
      return {
        status: 400,
        message: `model '${refusal.model}' not found`,
        type: "invalid_request_error",
      };
    case "context":
      return {
        status: 400,
        message: "the request exceeds the available context size, try increasing it",
        type: "exceed_context_size_error",
        n_prompt_tokens: refusal.promptTokens,
        n_ctx: refusal.contextLength,
      };
    case "unauthorized":
      return { status: 401, message: "Invalid API Key", type: "authentication_error" };
    case "busy":
      return { status: 503, message: "no slot available", type: "unavailable_error" };
    case "loading":
      return { status: 503, message: "Loading model", type: "unavailable_error" };
    default:
      return { status: refusal.status, message: "Compute error.", type: "server_error" };
  }
}

function route(
  engine: Engine,
  method: string,
  path: string,
  request: Request,
): Response | Promise<Response> | null {
  if (method === "POST" && path === "/models/unload" && isRouter(engine)) {
    return unloadModel(engine, request);
  }
  if (method !== "GET" && method !== "HEAD") return null;
  const isKnown = LISTINGS.has(path);
  if (isKnown && engine.settings.health !== "ok") {
    return jsonResponse(llamacpp, llamacpp.refuse({ reason: "loading" }, null).body, 503);
  }
  switch (path) {
    case "/health":
    case "/v1/health":
      return jsonResponse(llamacpp, { status: "ok" });
    case "/v1/models":
    case "/models":
    case "/api/tags":
      return jsonResponse(llamacpp, isRouter(engine) ? routerModels(engine) : singleModel(engine));
    case "/props":
      return jsonResponse(llamacpp, props(engine));
    case "/slots":
      return slots(engine, request.url.includes("fail_on_no_slot=1"));
    case "/metrics":
      return new Response(`llamacpp:requests_processing ${engine.slots.busy}\n`, {
        headers: HEADERS,
      });
    default:
      return null;
  }
}

async function unloadModel(engine: Engine, request: Request): Promise<Response> {
  if (unload(engine, (await readFields(request))["model"])) {
    return jsonResponse(llamacpp, { success: true });
  }
  const error = { code: 400, message: "model is not running", type: "invalid_request_error" };
  return jsonResponse(llamacpp, { error }, 400);
}

function isRouter({ settings, models }: Engine): boolean {
  return settings.router || models.length > 1;
}

function slots(engine: Engine, failOnNoSlot: boolean): Response {
  const busy = engine.slots.busyIds();
  if (failOnNoSlot && engine.slots.busy >= engine.settings.slots) {
    return jsonResponse(llamacpp, llamacpp.refuse({ reason: "busy" }, null).body, 503);
  }
  const n_ctx = engine.models[0]?.contextLength ?? 0;
  const list = Array.from({ length: engine.settings.slots }, (_, id) => ({
    id,
    n_ctx,
    speculative: false,
    is_processing: busy.has(id),
  }));
  return jsonResponse(llamacpp, list);
}

function props(engine: Engine): Record<string, unknown> {
  if (isRouter(engine)) {
    const settings = { params: null, n_ctx: 0 };
    return {
      role: "router",
      model_alias: "llama-server",
      model_path: "none",
      default_generation_settings: settings,
    };
  }
  const model = engine.models[0];
  return {
    default_generation_settings: { params: {}, n_ctx: model?.contextLength ?? 0 },
    total_slots: engine.settings.slots,
    model_alias: model?.id ?? "",
    model_ftype: model?.quantization ?? "",
    model_path: "/models/demo.gguf",
    modalities: { vision: false, audio: false },
    endpoint_slots: true,
    endpoint_props: true,
    endpoint_metrics: true,
    chat_template: "{{ messages }}",
    build_info: BUILD,
  };
}

/** OpenAI's `data` and Ollama's `models` in one body, on `/api/tags` too. */
function singleModel({ models }: Engine): Record<string, unknown> {
  const [model] = models;
  if (model === undefined) return { models: [], object: "list", data: [] };
  const tag = {
    name: model.id,
    model: model.id,
    modified_at: "",
    size: "",
    digest: "",
    type: "model",
  };
  const details = {
    parent_model: "",
    format: "gguf",
    family: "",
    families: [""],
    parameter_size: "",
    quantization_level: "",
  };
  const meta = {
    n_vocab: 32_000,
    n_ctx: model.contextLength,
    n_ctx_train: model.maxContextLength ?? model.contextLength,
    n_params: 1_235_814_432,
    size: 1_321_098_329,
    ftype: model.quantization ?? "",
  };
  return {
    models: [{ ...tag, capabilities: ["completion"], details }],
    object: "list",
    data: [{ ...card(model), meta }],
  };
}

function routerModels({ models }: Engine): Record<string, unknown> {
  const data = models.map((model) => ({
    ...card(model),
    in_cache: false,
    path: `/models/${model.id}.gguf`,
    status: { value: model.loaded ? "loaded" : "unloaded", args: [] },
  }));
  return { data, object: "list" };
}

function card({ id }: DemoModel): Record<string, unknown> {
  const created = Math.floor(Date.now() / 1_000);
  return { id, aliases: [id], tags: [], object: "model", created, owned_by: "llamacpp" };
}

function timings({ promptTokens, pieces }: Answer): string {
  return `,"timings":{"prompt_n":${promptTokens},"prompt_ms":1,"predicted_n":${pieces.length},"predicted_ms":${pieces.length}}`;
}
