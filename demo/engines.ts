import { detectEngines } from "#peer/engines/detect";
import { engineCandidates } from "#peer/engines/engine-env";
import { ENGINE_FACTS } from "#peer/engines/engine-facts";
import { startDemoEngine } from "./engine/start";

export type LentEngines = {
  readonly urls: readonly string[];
  /** For people, for instance `Ollama`. */
  readonly names: readonly string[];
  readonly isDemo: boolean;
  readonly stop: () => Promise<void>;
};

/** The demo engine answers at the pace of a small model, so that streaming can be seen. */
const TOKENS_PER_SECOND = 40;

/** The engines that answer on this machine, or the built-in demo engine where none does. */
export async function findEngines(
  env: Readonly<Record<string, string | undefined>>,
): Promise<LentEngines> {
  const { found } = await detectEngines(engineCandidates([], env).candidates);
  if (found.length > 0) {
    return {
      urls: found.map((engine) => engine.target.rootUrl),
      names: found.map((engine) => ENGINE_FACTS[engine.kind].displayName),
      isDemo: false,
      stop: async () => undefined,
    };
  }
  const demo = startDemoEngine({ voice: "ollama", tokensPerSecond: TOKENS_PER_SECOND });
  return { urls: [demo.url], names: ["demo engine"], isDemo: true, stop: () => demo.close() };
}
