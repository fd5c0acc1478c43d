import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeTinyModel, type TinyModelOptions } from "#support/gguf-model";
import { startLlamaServer } from "#support/llama-server";
import { ensureLlamaServer } from "#support/llama-server-build";
import type { Engine, EngineName, Engines } from "./engines";

type EnginePlan = {
  /** The id under which the engine offers its model; some have the characters that proxies trip over. */
  readonly modelId: string;
  readonly model: Partial<TinyModelOptions>;
  readonly args: readonly string[];
};

/** One context for each slot, and nothing kept between requests: two runs of a request must agree. */
const REPEATABLE = ["--no-cache-prompt", "--cache-ram", "0", "--no-kv-unified", "--no-warmup"];
const OBSERVABLE = ["--slots", "--metrics", "--props", "--jinja"];

const CONTEXT_TOKENS = 4_096;

function plans(templates: string): Record<EngineName, EnginePlan> {
  return {
    words: {
      modelId: "org/model:tag",
      model: { contextTokens: CONTEXT_TOKENS },
      args: ["-np", "4", "-c", String(4 * CONTEXT_TOKENS), "-n", "400"],
    },
    tools: {
      modelId: "tools/qwen2.5:tiny",
      // A turn ends as soon as the grammar lets it, which is after the first call.
      model: { contextTokens: CONTEXT_TOKENS, eosBias: 6, toolBias: 2.2 },
      args: [
        "-np",
        "2",
        "-c",
        String(2 * CONTEXT_TOKENS),
        "-n",
        "400",
        "--chat-template-file",
        join(templates, "Qwen-Qwen2.5-7B-Instruct.jinja"),
      ],
    },
    embeddings: {
      modelId: "embed/tiny:f32",
      model: { contextTokens: CONTEXT_TOKENS },
      args: ["-np", "2", "-c", String(2 * CONTEXT_TOKENS), "--embeddings", "--pooling", "mean"],
    },
    slow: {
      modelId: "slow/model:cpu",
      // Wide enough for a long prompt to take a minute, and it never ends by itself.
      model: {
        contextTokens: 16_384,
        layers: 8,
        dim: 512,
        feedForward: 2_048,
        heads: 8,
        eosBias: -20,
      },
      // Small batches: between two of them the engine notices that it was cancelled.
      args: ["-np", "1", "-c", "16384", "-b", "32", "-ub", "32", "--sse-ping-interval", "1"],
    },
  };
}

/** Writes the models and starts the engines; `onStarted` is told how to stop each. */
export async function startEngines(
  folder: string,
  onStarted: (stop: () => Promise<void>) => void,
): Promise<Engines> {
  const { templates } = await ensureLlamaServer();
  await mkdir(folder, { recursive: true });
  const start = async (name: EngineName): Promise<Engine> => {
    const { modelId, model, args } = plans(templates)[name];
    const modelPath = join(folder, `${name}.gguf`);
    const logPath = join(folder, `${name}.log`);
    await writeTinyModel(modelPath, { name, ...model });
    const server = await startLlamaServer({
      model: modelPath,
      logPath,
      args: ["--alias", modelId, ...REPEATABLE, ...OBSERVABLE, ...args],
    });
    onStarted(server.stop);
    return { url: server.url, modelId, logPath };
  };
  const [words, tools, embeddings, slow] = await Promise.all([
    start("words"),
    start("tools"),
    start("embeddings"),
    start("slow"),
  ]);
  return { words, tools, embeddings, slow };
}
