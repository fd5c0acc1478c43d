import { z } from "zod";
import { PLAIN_TEXT, PLAIN_TEXT_RULE } from "./plain-text";

/** Engines that troop can tell apart; `openai` is any other server that speaks OpenAI's API. */
export const EngineKind = z.enum(["vllm", "llamacpp", "ollama", "lmstudio", "openai"]);
export type EngineKind = z.infer<typeof EngineKind>;

/** A model's name as its engine spells it; may hold `/` and `:`, never control characters. */
export const ModelId = z.string().min(1).max(256).regex(PLAIN_TEXT, PLAIN_TEXT_RULE);
export type ModelId = z.infer<typeof ModelId>;

/** One model that a node offers, with what its engine knows of it; an unknown fact is absent. */
export const ModelOffer = z.object({
  id: ModelId,
  engine: EngineKind,
  /** `loaded`: answers at once. `cold`: the engine has to load it first. */
  state: z.enum(["loaded", "cold", "unknown"]),
  /** Content digest where the engine tells one (Ollama). */
  digest: z.string().max(128).regex(PLAIN_TEXT, PLAIN_TEXT_RULE).optional(),
  /** For example `Q4_K_M`, as the engine names it. */
  quantization: z.string().max(64).regex(PLAIN_TEXT, PLAIN_TEXT_RULE).optional(),
  /** Tokens of context in force for one request; where not loaded, the model's maximum. */
  context_length: z.int().positive().max(100_000_000).optional(),
  /** Requests that the engine serves at once for this model. */
  slots: z.int().positive().max(65_536).optional(),
  /** Unix seconds of the model's creation; only where the engine keeps it stable. */
  created_at: z.int().nonnegative().optional(),
});
export type ModelOffer = z.infer<typeof ModelOffer>;
