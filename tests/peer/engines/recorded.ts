import type { Route } from "./fixture-server";

/** Answers in the shapes of the engines' sources and documentation, with the oddities that matter. */
type Recording = Readonly<Record<string, Route>>;

const DIGEST = "baf6a787fdffd633537aa2eb51cfd54cb93ff08e28040095462bb63daf552878";

export const OLLAMA: Recording = {
  "/v1/models": {
    object: "list",
    data: [{ id: "llama3.2:1b", object: "model", created: 1_735_730_000, owned_by: "library" }],
  },
  "/api/version": { version: "0.12.6" },
  "/api/tags": {
    models: [
      {
        name: "llama3.2:1b",
        model: "llama3.2:1b",
        modified_at: "2025-01-01T11:22:33.123456789+01:00",
        size: 1_321_098_329,
        digest: DIGEST,
        details: { format: "gguf", family: "llama", quantization_level: "Q8_0" },
      },
      {
        name: "hf.co/org/Coder-GGUF:Q4_K_M",
        model: "hf.co/org/Coder-GGUF:Q4_K_M",
        modified_at: "2025-02-01T00:00:00Z",
        size: 5,
        digest: `1${DIGEST.slice(1)}`,
        details: { format: "gguf", quantization_level: "unknown" },
      },
      {
        name: "tuned:latest",
        model: "tuned:latest",
        modified_at: "2025-03-01T00:00:00Z",
        size: 6,
        digest: `2${DIGEST.slice(1)}`,
        details: { format: "gguf", quantization_level: "Q4_0" },
      },
      { name: "glm-4.6:cloud", digest: "c1", modified_at: "2025-09-01T00:00:00Z", size: 384 },
      { name: "gpt-oss:120b-cloud", digest: "c2", modified_at: "2025-09-01T00:00:00Z", size: 384 },
      { name: "renamed", digest: "c3", remote_host: "https://ollama.com:443", remote_model: "big" },
    ],
  },
  "/api/ps": {
    models: [{ name: "llama3.2:1b", model: "llama3.2:1b", size_vram: 1, context_length: 4_096 }],
  },
  "POST /api/show": {
    parameters: 'stop                           "<|im_end|>"',
    model_info: { "general.architecture": "qwen2", "qwen2.context_length": 32_768 },
  },
};

export const VLLM: Recording = {
  "/v1/models": {
    object: "list",
    data: [
      {
        id: "Qwen/Qwen2.5-7B-Instruct",
        object: "model",
        created: 1_760_000_001,
        owned_by: "vllm",
        root: "Qwen/Qwen2.5-7B-Instruct",
        parent: null,
        max_model_len: 32_768,
        permission: [],
      },
      {
        id: "sql-lora",
        object: "model",
        created: 1_760_000_001,
        owned_by: "vllm",
        root: "/loras/sql",
        parent: "Qwen/Qwen2.5-7B-Instruct",
        max_model_len: null,
        permission: [],
      },
    ],
  },
  "/health": () => new Response(null, { status: 200 }),
  "/version": { version: "0.11.0" },
  "/metrics": () =>
    new Response(
      [
        "# HELP vllm:num_requests_running Number of requests in model execution batches.",
        "# TYPE vllm:num_requests_running gauge",
        'vllm:num_requests_running{engine="0",model_name="m"} 3.0',
        'vllm:num_requests_running{engine="1",model_name="m"} 2.0',
        'vllm:num_requests_waiting{engine="0",model_name="m"} 1.0',
      ].join("\n"),
    ),
};

export const LMSTUDIO_MODELS = {
  object: "list",
  data: [{ id: "google/gemma-4-26b-a4b", object: "model", owned_by: "organization_owner" }],
};
const V0 = {
  object: "list",
  data: [
    {
      id: "qwen2-vl-7b-instruct",
      object: "model",
      type: "vlm",
      publisher: "mlx-community",
      quantization: "4bit",
      state: "not-loaded",
      max_context_length: 32_768,
    },
    {
      id: "meta-llama-3.1-8b-instruct",
      object: "model",
      type: "llm",
      quantization: "Q4_K_M",
      state: "loaded",
      max_context_length: 131_072,
      loaded_context_length: 8_192,
    },
  ],
};
export const LMSTUDIO_0_3: Recording = { "/v1/models": LMSTUDIO_MODELS, "/api/v0/models": V0 };
export const LMSTUDIO: Recording = {
  ...LMSTUDIO_0_3,
  "/api/v1/models": {
    models: [
      {
        type: "llm",
        publisher: "google",
        key: "google/gemma-4-26b-a4b",
        quantization: { name: "Q4_K_M", bits_per_weight: 4 },
        loaded_instances: [
          { id: "google/gemma-4-26b-a4b:2", config: { context_length: 2_048, parallel: 1 } },
          { id: "google/gemma-4-26b-a4b", config: { context_length: 4_096, parallel: 4 } },
        ],
        max_context_length: 262_144,
      },
      {
        type: "embedding",
        key: "text-embedding-nomic-embed-text-v1.5",
        quantization: { name: "F16", bits_per_weight: 16 },
        loaded_instances: [],
        max_context_length: 2_048,
      },
    ],
  },
};

/** LM Studio's answer to a path that it doesn't know. */
export function unexpected(request: Request): Response {
  const { pathname } = new URL(request.url);
  return Response.json({ error: `Unexpected endpoint or method. (${request.method} ${pathname})` });
}

const LLAMACPP_MODELS = {
  models: [
    { name: "qwen3:8b", model: "qwen3:8b", modified_at: "", size: "", digest: "", type: "model" },
  ],
  object: "list",
  data: [
    {
      id: "qwen3:8b",
      aliases: ["qwen3:8b"],
      tags: [],
      object: "model",
      created: 1_760_000_002,
      owned_by: "llamacpp",
      meta: { n_vocab: 151_936, n_ctx: 8_192, n_ctx_train: 40_960, ftype: "Q4_K - Medium" },
    },
  ],
};
export const LLAMACPP: Recording = {
  "/v1/models": LLAMACPP_MODELS,
  // Yes, Ollama's path, with both lists in it.
  "/api/tags": LLAMACPP_MODELS,
  "/health": { status: "ok" },
  "/props": {
    default_generation_settings: { params: {}, n_ctx: 8_192 },
    total_slots: 4,
    model_alias: "qwen3:8b",
    model_path: "/models/qwen3.gguf",
    build_info: "b6710-1234567",
  },
  "/slots": [
    { id: 0, n_ctx: 8_192, is_processing: true },
    { id: 1, n_ctx: 8_192, is_processing: false },
    { id: 2, n_ctx: 8_192, is_processing: true },
    { id: 3, n_ctx: 8_192, is_processing: false },
  ],
};

const routed = (id: string, status: object) => ({
  id,
  object: "model",
  owned_by: "llamacpp",
  created: 1_760_000_003,
  in_cache: true,
  path: `/models/${id}.gguf`,
  status,
});
export const LLAMACPP_ROUTER: Recording = {
  "/v1/models": {
    object: "list",
    data: [
      routed("a", { value: "loaded", args: [] }),
      routed("b", { value: "unloaded", args: [] }),
      routed("c", { value: "loading", args: [] }),
      routed("d", { value: "unloaded", args: [], failed: true, exit_code: 1 }),
    ],
  },
  "/health": { status: "ok" },
  "/props": { role: "router", default_generation_settings: { params: null, n_ctx: 0 } },
};

const loading = () =>
  Response.json(
    { error: { code: 503, message: "Loading model", type: "unavailable_error" } },
    { status: 503 },
  );
export const LLAMACPP_LOADING: Recording = {
  "/v1/models": loading,
  "/health": loading,
  "/props": loading,
};

export const OPENAI: Recording = {
  "/v1/models": {
    object: "list",
    data: [{ id: "mistral-small", object: "model", created: 1_760_000_004, owned_by: "somebody" }],
  },
};
