import type { EngineKind, ModelOffer } from "#protocol/model-offer";
import type { Outcome } from "#protocol/outcome";
import type { EngineReader, ReadRefusal } from "./engine-reader";

/**
 * `loading`: it is there, but serves nothing yet. `silent`: no answer in time, which a machine under
 * load may do. `down`: nobody listens, or something else does.
 */
export type EngineHealth = "ok" | "loading" | "silent" | "down";

/** How busy an engine says it is; an unknown fact is absent. */
export type EngineLoad = {
  readonly running: number;
  readonly waiting?: number;
  /** Requests that it serves at once. */
  readonly slots?: number;
};

/** What is remembered between reads of one engine: facts that a model's digest pins down. */
export type EngineMemory = Map<string, number>;

/** How to talk to one kind of engine. Nothing in here throws. */
export type EngineDriver = {
  readonly kind: EngineKind;
  /** Whether the answers have the shape of this engine's; a status or a port proves nothing. */
  recognises(read: EngineReader): Promise<boolean>;
  models(
    read: EngineReader,
    memory: EngineMemory,
  ): Promise<Outcome<readonly ModelOffer[], ReadRefusal>>;
  health(read: EngineReader): Promise<EngineHealth>;
  /** Null: it doesn't tell. */
  load(read: EngineReader): Promise<EngineLoad | null>;
  /** Frees a model's memory; false where it did not. Absent: this engine has no way. */
  unload?(read: EngineReader, modelId: string): Promise<boolean>;
};

/** What a failed read says about an engine's health. */
export function healthAfter(read: Outcome<unknown, ReadRefusal>): EngineHealth {
  if (read.ok) return "ok";
  return read.reason === "timeout" ? "silent" : "down";
}
