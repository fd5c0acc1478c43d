import type { Answer } from "./answer";
import type { Ask, TextApi } from "./ask";
import type { Journal } from "./journal";
import type { DemoModel, DemoSettings, VoiceName } from "./settings";
import type { Slots } from "./slots";
import type { Ticker } from "./ticker";

/** What a running demo engine is made of. */
export type Engine = {
  readonly voice: Voice;
  readonly settings: DemoSettings;
  models: readonly DemoModel[];
  readonly slots: Slots;
  readonly ticker: Ticker;
  readonly journal: Journal;
};

/** Why a request is not served; each voice has words, status and shape of its own for it. */
export type Refusal =
  | { readonly reason: "bad_json" }
  | { readonly reason: "bad_request"; readonly param: string | null; readonly message: string }
  | { readonly reason: "model_not_found"; readonly model: string }
  | { readonly reason: "context"; readonly promptTokens: number; readonly contextLength: number }
  | { readonly reason: "unauthorized" }
  | { readonly reason: "busy" }
  | { readonly reason: "loading" }
  /** A fault; `status` is the one that was asked for. */
  | { readonly reason: "failed"; readonly status: number };

export type ErrorAnswer = { readonly status: number; readonly body: string };

/** A stream, as text: `head` goes out with the first piece, `tail` after the last one. */
export type Frames = {
  readonly head: string;
  readonly count: number;
  piece(index: number): string;
  readonly tail: string;
};

/** How chunks of `/v1/chat/completions` and `/v1/completions` look. */
export type ChunkTraits = {
  /** Put after `model` in every chunk and body, with its comma: `,"system_fingerprint":"x"`. */
  readonly top: string;
  /** Put into every choice of a chunk, with its comma: `,"logprobs":null`. */
  readonly choice: string;
  /** `merged`: with the first text; `every`: with each text; else a chunk of its own with this content. */
  readonly role: "merged" | "every" | "own-empty" | "own-null";
  /** The finish reason rides the last text instead of a chunk of its own. */
  readonly finishOnLast: boolean;
  /** Put into the choice that carries the finish reason. */
  readonly finishChoice: string;
  /** `"usage":null` in chunks while usage was asked for, as OpenAI does. */
  readonly nullUsage: boolean;
  /**
   * Where streams of `/v1/completions` differ: `zeroed` has a usage of zeros in every chunk if usage
   * was asked for (Ollama), `last` has the usage in the finish chunk unasked (llama.cpp).
   */
  readonly usageInCompletions: "asked" | "zeroed" | "last";
  /** More fields of the last chunk and of whole answers, with their comma. */
  last(answer: Answer): string;
};

/** The manners of one engine. */
export type Voice = {
  readonly name: VoiceName;
  readonly headers: Readonly<Record<string, string>>;
  readonly jsonType: string;
  readonly streamType: string;
  readonly chunks: ChunkTraits;
  /** `stream_options: {}` asks for usage. */
  readonly emptyStreamOptionsMeanUsage: boolean;
  readonly toolArgumentStep: number | null;
  /** A prompt longer than the context is an error here (Ollama cuts it silently). */
  readonly refusesLongPrompts: boolean;
  /** Errors of streams arrive under status 200, as an event (LM Studio). */
  readonly streamErrorsAre200: boolean;
  /** Events of /v1/responses carry sequence numbers and indexes (llama.cpp's don't). */
  readonly numbersResponseEvents: boolean;
  readonly streamHeaders: Readonly<Record<string, string>>;
  /** Which of the APIs the engine has. */
  readonly apis: ReadonlySet<TextApi | "embeddings" | "transcriptions">;
  /** Whether this path asks for the API key, where one is set. */
  needsKey(path: string): boolean;
  /** `token` is 32 hexadecimal digits that differ from answer to answer. */
  answerId(api: TextApi, token: string): string;
  /** Null: this engine has no such model. `reported` is the name its answer gives. */
  resolve(engine: Engine, asked: string): { model: DemoModel; reported: string } | null;
  refuse(refusal: Refusal, api: TextApi | null): ErrorAnswer;
  /** The engine's own way to end a stream that failed, after which it closes the connection. */
  streamFailure(ask: Ask): string;
  /** Called first; for instance Ollama's check of Host and Origin. */
  guard?(request: Request): Response | null;
  /** Everything but the POST endpoints that generate; null means unknown. */
  route(
    engine: Engine,
    method: string,
    path: string,
    request: Request,
  ): Response | Promise<Response> | null;
  unknown(method: string, path: string, known: boolean): Response;
};

export function jsonResponse(
  voice: Pick<Voice, "jsonType" | "headers">,
  body: unknown,
  status = 200,
): Response {
  return new Response(typeof body === "string" ? body : JSON.stringify(body), {
    status,
    headers: { "content-type": voice.jsonType, ...voice.headers },
  });
}
