import { type Listening, startListening } from "./child-process";
import type { Scope } from "./scope";

/** What the demo engine, as vLLM, calls its only model. */
export const MODEL = "demo-org/Demo-1B-Instruct";
const MAIN = import.meta.resolve("#demo/engine/main");

/** The demo engine in a process of its own, with room for every request that a part makes. */
export function startEngine(
  scope: Scope,
  settings: { readonly tokensPerSecond: number; readonly tokensPerAnswer: number },
): Promise<Listening> {
  return startListening(scope, MAIN, [
    "--speak",
    "vllm",
    "--slots",
    "4096",
    "--tokens-per-second",
    String(settings.tokensPerSecond),
    "--tokens-per-answer",
    String(settings.tokensPerAnswer),
  ]);
}
