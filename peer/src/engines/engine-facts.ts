import type { EngineKind } from "#protocol/model-offer";

/** How an engine ends a chat stream in which something went wrong after status 200. */
export type BrokenStreamEnd =
  /** Closes without `[DONE]`; the error's text is lost. */
  | "bare_eof"
  /** `data: {"error":…}`, then `data: [DONE]`. */
  | "error_then_done"
  /** `data: {"error":…}`, then closes without `[DONE]`. */
  | "error_then_eof"
  /** `event: error` with `data: {"error":…}`, then closes. */
  | "error_event";

/** What a proxy in front of an engine has to know; from the engines' sources, documentation and runs. */
export type EngineFacts = {
  readonly displayName: string;
  /** A whole stream of chat/completions or completions ends with `data: [DONE]`. */
  readonly chatEndsWithDone: boolean;
  /** A whole stream of /v1/responses does; null where nobody has seen it. */
  readonly responsesEndWithDone: boolean | null;
  readonly brokenChatEnd: BrokenStreamEnd;
  /** `stream_options: {}` asks for usage. */
  readonly emptyStreamOptionsMeanUsage: boolean;
  /** Answers with another model than the one named, at least at times: compare `model` in the answer. */
  readonly mayIgnoreModelName: boolean;
  /** Sends `:` comments while it has nothing to say. */
  readonly pings: boolean;
  /** Refuses `Host` and `Origin` that are not its own. */
  readonly checksHostAndOrigin: boolean;
  /** Keeps responses, so that a follow-up has to reach the same engine. */
  readonly keepsResponses: boolean;
  /** Paths under /v1 that change the engine instead of using it; never to be passed on. */
  readonly adminPaths: readonly string[];
};

export const ENGINE_FACTS: Readonly<Record<EngineKind, EngineFacts>> = {
  ollama: {
    displayName: "Ollama",
    chatEndsWithDone: true,
    responsesEndWithDone: false,
    brokenChatEnd: "bare_eof",
    emptyStreamOptionsMeanUsage: false,
    mayIgnoreModelName: false,
    pings: false,
    checksHostAndOrigin: true,
    keepsResponses: false,
    adminPaths: [],
  },
  vllm: {
    displayName: "vLLM",
    chatEndsWithDone: true,
    responsesEndWithDone: false,
    brokenChatEnd: "error_then_done",
    emptyStreamOptionsMeanUsage: true,
    mayIgnoreModelName: false,
    pings: false,
    checksHostAndOrigin: false,
    keepsResponses: true,
    adminPaths: ["/v1/load_lora_adapter", "/v1/unload_lora_adapter"],
  },
  lmstudio: {
    displayName: "LM Studio",
    chatEndsWithDone: true,
    responsesEndWithDone: null,
    brokenChatEnd: "error_event",
    emptyStreamOptionsMeanUsage: false,
    mayIgnoreModelName: true,
    pings: false,
    checksHostAndOrigin: false,
    keepsResponses: true,
    adminPaths: [],
  },
  llamacpp: {
    displayName: "llama.cpp",
    chatEndsWithDone: true,
    responsesEndWithDone: false,
    brokenChatEnd: "error_then_eof",
    emptyStreamOptionsMeanUsage: false,
    mayIgnoreModelName: true,
    pings: true,
    checksHostAndOrigin: false,
    keepsResponses: false,
    adminPaths: [],
  },
  openai: {
    displayName: "OpenAI-compatible server",
    chatEndsWithDone: true,
    responsesEndWithDone: null,
    brokenChatEnd: "error_then_eof",
    emptyStreamOptionsMeanUsage: false,
    mayIgnoreModelName: true,
    pings: false,
    checksHostAndOrigin: false,
    keepsResponses: true,
    adminPaths: [],
  },
};
