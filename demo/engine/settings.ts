/** Whose manners the demo engine has; `plain` is a generic OpenAI-compatible server. */
export const VOICES = ["ollama", "vllm", "lmstudio", "llamacpp", "plain"] as const;
export type VoiceName = (typeof VOICES)[number];

/** A model that the demo engine pretends to have. */
export type DemoModel = {
  readonly id: string;
  readonly kind: "chat" | "embedding";
  /** Tokens of context in force for one request. */
  readonly contextLength: number;
  /** What the model's file allows; where absent, `contextLength`. */
  readonly maxContextLength?: number;
  readonly quantization?: string;
  readonly digest?: string;
  /** False: the first request waits `loadMs`, then it is loaded. */
  readonly loaded: boolean;
  /** Unix seconds. */
  readonly createdAt: number;
  /** vLLM only: a LoRA adapter, whose card has no `max_model_len`. */
  readonly lora?: boolean;
};

/** Everything that may be changed while the engine runs. */
export type DemoSettings = {
  /** Wait before the first token, as prefill would. */
  firstTokenMs: number;
  /** Speed of one stream; 0 is as fast as the connection takes it. */
  tokensPerSecond: number;
  /** Length of an answer where `max_tokens` allows it. */
  tokensPerAnswer: number;
  /** Requests served at once. */
  slots: number;
  /** Requests that may wait for a slot; one more is refused in the engine's own way. */
  queueLimit: number;
  /** How long loading a cold model takes. */
  loadMs: number;
  /** `loading` and `dead` answer as the engine does then. */
  health: "ok" | "loading" | "dead";
  /** If set, requests need it as a bearer token. */
  apiKey: string | null;
  /** Ids and times depend on the request too, so that the same request gives the same bytes. */
  deterministic: boolean;
  /** llama.cpp only: router mode, which knows models by name and loads them on demand. */
  router: boolean;
};

export const DEFAULT_SETTINGS: DemoSettings = {
  firstTokenMs: 0,
  tokensPerSecond: 0,
  tokensPerAnswer: 40,
  slots: 16,
  queueLimit: 0,
  loadMs: 0,
  health: "ok",
  apiKey: null,
  deterministic: false,
  router: false,
};

export function demoModel(id: string, rest: Partial<DemoModel> = {}): DemoModel {
  return {
    id,
    kind: "chat",
    contextLength: 32_768,
    loaded: true,
    createdAt: 1_750_000_000,
    ...rest,
  };
}

/** What each voice has when nothing else is asked for; ids are spelled as that engine spells them. */
export const DEFAULT_MODELS: Readonly<Record<VoiceName, readonly DemoModel[]>> = {
  ollama: [
    demoModel("demo-llama:1b", {
      quantization: "Q4_K_M",
      contextLength: 8_192,
      maxContextLength: 131_072,
      digest: "baf6a787fdffd633537aa2eb51cfd54cb93ff08e28040095462bb63daf552878",
    }),
  ],
  vllm: [demoModel("demo-org/Demo-1B-Instruct")],
  lmstudio: [demoModel("demo-org/demo-1b", { quantization: "Q4_K_M", maxContextLength: 131_072 })],
  llamacpp: [demoModel("demo-1b-q4_k_m.gguf", { quantization: "Q4_K - Medium" })],
  plain: [demoModel("demo-model")],
};
