import { expect, it, onTestFinished } from "vitest";
import { findEngines, type LentEngines } from "#demo/engines";
import { running } from "./engine/running-engine";

/** Where nothing listens, so that no engine of this machine is found. */
const NOWHERE = {
  OLLAMA_HOST: "127.0.0.1:1",
  VLLM_HOST: "127.0.0.1:1",
  LMSTUDIO_URL: "http://127.0.0.1:1",
  LLAMACPP_HOST: "127.0.0.1:1",
};

async function found(env: Readonly<Record<string, string>>): Promise<LentEngines> {
  const engines = await findEngines({ ...NOWHERE, ...env });
  onTestFinished(() => engines.stop());
  return engines;
}

it.each([
  ["OLLAMA_HOST", "ollama", "Ollama"],
  ["VLLM_HOST", "vllm", "vLLM"],
  ["LMSTUDIO_URL", "lmstudio", "LM Studio"],
  ["LLAMACPP_HOST", "llamacpp", "llama.cpp"],
] as const)("lends what answers at %s, by its name", async (variable, voice, name) => {
  const engine = running({ voice });
  expect(await found({ [variable]: engine.url })).toMatchObject({
    urls: [engine.url],
    names: [name],
    isDemo: false,
  });
});

it("lends the demo engine where none answers, says that it is one, and ends it", async () => {
  const engines = await found({});
  expect(engines).toMatchObject({ names: ["demo engine"], isDemo: true });
  const url = `${engines.urls[0]}/v1/models`;
  expect((await fetch(url)).status).toBe(200);
  await engines.stop();
  await expect(fetch(url)).rejects.toThrow();
});
