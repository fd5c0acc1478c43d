import type { DemoModel } from "../settings";
import { readFields, unload } from "../unload";
import { type Engine, type ErrorAnswer, jsonResponse, type Refusal, type Voice } from "../voice";

const VERSION = "0.12.6";
const JSON_TYPE = "application/json";

export const ollama: Voice = {
  name: "ollama",
  headers: {},
  jsonType: JSON_TYPE,
  streamType: "text/event-stream",
  chunks: {
    top: ',"system_fingerprint":"fp_ollama"',
    choice: "",
    role: "merged",
    finishOnLast: false,
    finishChoice: "",
    nullUsage: false,
    usageInCompletions: "zeroed",
    last: () => "",
  },
  emptyStreamOptionsMeanUsage: false,
  toolArgumentStep: null,
  refusesLongPrompts: false,
  streamErrorsAre200: false,
  numbersResponseEvents: true,
  streamHeaders: {},
  apis: new Set(["chat", "completions", "responses", "messages", "embeddings", "transcriptions"]),
  // Ids of Ollama repeat: nothing may be keyed by them.
  answerId: (api, token) => `${PREFIX[api]}-${Number.parseInt(token.slice(0, 8), 16) % 999}`,
  needsKey: () => false,
  resolve(engine, asked) {
    const id = withTag(asked);
    const model = engine.models.find((each) => withTag(each.id) === id);
    return model ? { model, reported: asked } : null;
  },
  refuse(refusal, api) {
    const { status, message } = words(refusal);
    const type =
      status === 400 ? "invalid_request_error" : status === 404 ? "not_found_error" : "api_error";
    if (api === "messages") {
      const error = { type: "error", error: { type, message }, request_id: "req_demo" };
      return { status, body: JSON.stringify(error) };
    }
    return { status, body: JSON.stringify({ error: { message, type, param: null, code: null } }) };
  },
  // The error is lost: a chunk without text, then the end, with neither a finish reason nor [DONE].
  streamFailure: ({ api, model }) =>
    api === "chat" || api === "completions"
      ? `data: ${JSON.stringify({
          id: "chatcmpl-0",
          object: "chat.completion.chunk",
          created: Math.floor(Date.now() / 1_000),
          model,
          system_fingerprint: "fp_ollama",
          choices: [{ index: 0, delta: { role: "assistant", content: "" }, finish_reason: null }],
        })}\n\n`
      : "",
  guard,
  route,
  unknown: (_method, _path, known) =>
    known
      ? new Response("405 method not allowed", { status: 405, headers: TEXT })
      : new Response("404 page not found", { status: 404, headers: TEXT }),
};

const TEXT = { "content-type": "text/plain" };
const PREFIX = {
  chat: "chatcmpl",
  completions: "cmpl",
  responses: "resp",
  messages: "msg",
} as const;

function words(refusal: Refusal): { status: number; message: string } {
  switch (refusal.reason) {
    case "bad_json":
      return { status: 400, message: "invalid character 'x' looking for beginning of value" };
    case "bad_request":
      return { status: 400, message: refusal.message };
    case "model_not_found":
      return { status: 404, message: `model '${refusal.model}' not found` };
    case "context":
      return { status: 400, message: "the input length exceeds the context length" };
    case "unauthorized":
      return { status: 401, message: "unauthorized" };
    case "busy":
    case "loading":
      return {
        status: 503,
        message: "server busy, please try again.  maximum pending requests exceeded",
      };
    default:
      return {
        status: refusal.status,
        message: "llama runner process has terminated: exit status 2",
      };
  }
}

const LOCAL_SUFFIXES = [".localhost", ".local", ".internal"];
const ORIGINS =
  /^(?:https?:\/\/(?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::\d+)?|(?:app|file|tauri|vscode-webview|vscode-file):\/\/.*)$/;

/** On loopback, Ollama answers only to names of this machine, and only to pages from it. */
function guard(request: Request): Response | null {
  const host = (request.headers.get("host") ?? "").replace(/:\d+$/, "").toLowerCase();
  const isAddress = /^[\d.]+$/.test(host) || host.startsWith("[");
  const isLocal =
    host === "" ||
    host === "localhost" ||
    isAddress ||
    LOCAL_SUFFIXES.some((suffix) => host.endsWith(suffix));
  const origin = request.headers.get("origin");
  if (isLocal && (origin === null || ORIGINS.test(origin))) return null;
  return new Response(null, { status: 403 });
}

function route(
  engine: Engine,
  method: string,
  path: string,
  request: Request,
): Response | Promise<Response> | null {
  if (method === "POST") {
    if (path === "/api/generate") return generate(engine, request);
    return path === "/api/show" ? show(engine, request) : null;
  }
  if (method !== "GET" && method !== "HEAD") return null;
  switch (path) {
    case "/":
      return new Response("Ollama is running", { headers: TEXT });
    case "/api/version":
      return jsonResponse(ollama, { version: VERSION });
    case "/api/tags":
      return jsonResponse(ollama, { models: engine.models.map(tag) });
    case "/api/ps":
      return jsonResponse(ollama, {
        models: engine.models.filter((model) => model.loaded).map(loaded),
      });
    case "/v1/models":
      // A nil slice in Go: no models is null, not an empty list.
      return jsonResponse(ollama, {
        object: "list",
        data: engine.models.length === 0 ? null : engine.models.map(card),
      });
    default:
      return path.startsWith("/v1/models/") ? oneModel(engine, path.slice(11)) : null;
  }
}

/** Gin's `:model` takes one path segment, so an id with a slash finds nothing, encoded or not. */
function oneModel(engine: Engine, raw: string): Response | null {
  const id = decodeURIComponent(raw);
  if (id.includes("/")) return null;
  const found = ollama.resolve(engine, id);
  if (found !== null) return jsonResponse(ollama, { ...card(found.model), id });
  const { status, body }: ErrorAnswer = ollama.refuse(
    { reason: "model_not_found", model: id },
    null,
  );
  return jsonResponse(ollama, body, status);
}

/** Only what unloads: no prompt, and nothing kept alive. */
async function generate(engine: Engine, request: Request): Promise<Response> {
  const { model = "", prompt, keep_alive: keepAlive } = await readFields(request);
  if (prompt !== undefined || keepAlive !== 0) {
    return jsonResponse(ollama, { error: "the demo engine generates under /v1 only" }, 400);
  }
  if (!unload(engine, model))
    return jsonResponse(ollama, { error: `model '${model}' not found` }, 404);
  const at = { model, created_at: new Date().toISOString() };
  return jsonResponse(ollama, { ...at, response: "", done: true, done_reason: "unload" });
}

async function show(engine: Engine, request: Request): Promise<Response> {
  const name = String((await readFields(request))["model"] ?? "");
  const found = ollama.resolve(engine, name);
  if (found === null) return jsonResponse(ollama, { error: `model '${name}' not found` }, 404);
  const { model } = found;
  return jsonResponse(ollama, {
    parameters: `num_ctx                        ${model.contextLength}\nstop                           "<|im_end|>"`,
    details: details(model),
    model_info: {
      "general.architecture": "llama",
      "llama.context_length": model.maxContextLength ?? model.contextLength,
    },
    capabilities: [model.kind === "embedding" ? "embedding" : "completion"],
    modified_at: modifiedAt(model),
  });
}

function withTag(id: string): string {
  return /:[^/]*$/.test(id) ? id : `${id}:latest`;
}

function card(model: DemoModel): Record<string, unknown> {
  const namespace = model.id.includes("/") ? model.id.split("/")[0] : "library";
  return { id: model.id, object: "model", created: model.createdAt, owned_by: namespace };
}

function tag(model: DemoModel): Record<string, unknown> {
  return {
    name: model.id,
    model: model.id,
    modified_at: modifiedAt(model),
    size: 1_321_098_329,
    digest: model.digest ?? "0".repeat(64),
    details: details(model),
  };
}

function loaded(model: DemoModel): Record<string, unknown> {
  const { modified_at: _, ...rest } = tag(model);
  const expires = new Date(Date.now() + 300_000).toISOString();
  return {
    ...rest,
    expires_at: expires,
    size_vram: 1_321_098_329,
    context_length: model.contextLength,
  };
}

function details({ quantization }: DemoModel): Record<string, unknown> {
  return {
    parent_model: "",
    format: "gguf",
    family: "llama",
    families: ["llama"],
    parameter_size: "1.2B",
    quantization_level: quantization ?? "",
  };
}

function modifiedAt({ createdAt }: DemoModel): string {
  return new Date(createdAt * 1_000).toISOString();
}
