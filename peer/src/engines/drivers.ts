import type { EngineDriver } from "./driver";
import { llamacpp } from "./llamacpp";
import { lmstudio } from "./lmstudio";
import { ollama } from "./ollama";
import { openai } from "./openai";
import { vllm } from "./vllm";

/** In the order in which they are tried: the generic one recognises all the others too. */
export const DRIVERS: readonly EngineDriver[] = [lmstudio, ollama, llamacpp, vllm, openai];
