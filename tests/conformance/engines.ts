import { z } from "zod";

export const ENGINE_NAMES = ["words", "tools", "embeddings", "slow"] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** A running llama-server. */
export const Engine = z.object({
  url: z.string(),
  modelId: z.string(),
  /** Its own log, which tells when it starts, cancels and ends a task. */
  logPath: z.string(),
});
export type Engine = z.infer<typeof Engine>;

export const Engines = z.record(z.enum(ENGINE_NAMES), Engine);
export type Engines = z.infer<typeof Engines>;

/** How the script that starts the engines tells the tests where they are. */
export const ENGINES_VARIABLE = "TROOP_CONFORMANCE_ENGINES";

/** An engine, and the network in front of it. */
export type Bench = Engine & {
  /** The endpoint that apps use, without a path. */
  readonly proxiedUrl: string;
  readonly tapControlUrl: string;
};

declare module "vitest" {
  export interface ProvidedContext {
    benches: Record<EngineName, Bench>;
  }
}
