import { describe, expect, it } from "vitest";
import type { ModelOffer } from "#protocol/model-offer";
import { readHealth, readLoad, readModels } from "#peer/engines/read-models";
import { detected, serving } from "./fixture-server";
import {
  LLAMACPP,
  LLAMACPP_LOADING,
  LLAMACPP_ROUTER,
  LMSTUDIO,
  LMSTUDIO_0_3,
  LMSTUDIO_MODELS,
  OLLAMA,
  OPENAI,
  unexpected,
  VLLM,
} from "./recorded";

async function modelsAt(url: string): Promise<readonly ModelOffer[]> {
  const models = await readModels(await detected(url), new Map());
  if (!models.ok) throw new Error(models.reason);
  return models.value;
}

describe("Ollama", () => {
  it("tells state, digest, quantisation, the context in force and when a model was made", async () => {
    const { url } = serving(OLLAMA);
    const [loaded, cold] = await modelsAt(url);
    expect(loaded).toEqual({
      id: "llama3.2:1b",
      engine: "ollama",
      state: "loaded",
      digest: "baf6a787fdffd633537aa2eb51cfd54cb93ff08e28040095462bb63daf552878",
      quantization: "Q8_0",
      context_length: 4_096,
      created_at: 1_735_726_953,
    });
    expect(cold).toMatchObject({ state: "cold", context_length: 32_768 });
  });

  it("offers no model that it only passes on to its cloud", async () => {
    const { url } = serving(OLLAMA);
    const ids = (await modelsAt(url)).map(({ id }) => id);
    expect(ids).toEqual(["llama3.2:1b", "hf.co/org/Coder-GGUF:Q4_K_M", "tuned:latest"]);
  });

  it("takes a Modelfile's num_ctx for the context in force", async () => {
    const shown = {
      parameters: "num_ctx                        16384\ntemperature                    0.7",
      model_info: { "general.architecture": "llama", "llama.context_length": 131_072 },
    };
    const { url } = serving({ ...OLLAMA, "POST /api/show": shown });
    const tuned = (await modelsAt(url)).find(({ id }) => id === "tuned:latest");
    expect(tuned?.context_length).toBe(16_384);
  });

  it("is asked about a model once, until its digest changes", async () => {
    const { url, asked } = serving(OLLAMA);
    const engine = await detected(url);
    const memory = new Map<string, number>();
    await readModels(engine, memory);
    await readModels(engine, memory);
    expect(asked.filter((line) => line === "POST /api/show")).toHaveLength(3);
    expect(memory.size).toBe(3);
  });

  it("offers models whose context it won't tell", async () => {
    const { url } = serving({
      ...OLLAMA,
      "POST /api/show": () => new Response("", { status: 500 }),
    });
    const models = await modelsAt(url);
    expect(models).toHaveLength(3);
    expect(models[1]).not.toHaveProperty("context_length");
  });

  it.each([null, []])("without models (%j) offers none and is still Ollama", async (models) => {
    const listing = { object: "list", data: null };
    const { url } = serving({ ...OLLAMA, "/v1/models": listing, "/api/tags": { models } });
    expect((await detected(url)).kind).toBe("ollama");
    expect(await modelsAt(url)).toEqual([]);
  });
});

describe("vLLM", () => {
  it("tells the length in force, a LoRA's being its base's, and no date that changes", async () => {
    const { url } = serving(VLLM);
    expect(await modelsAt(url)).toEqual([
      { id: "Qwen/Qwen2.5-7B-Instruct", engine: "vllm", state: "loaded", context_length: 32_768 },
      { id: "sql-lora", engine: "vllm", state: "loaded", context_length: 32_768 },
    ]);
  });

  it("tells how busy it is, over all its engines", async () => {
    const { url } = serving(VLLM);
    expect(await readLoad(await detected(url))).toEqual({ running: 5, waiting: 1 });
  });

  it("is down when its engine died, though it still lists models", async () => {
    const { url } = serving({ ...VLLM, "/health": () => new Response(null, { status: 503 }) });
    expect(await readHealth(await detected(url))).toBe("down");
  });
});

describe("LM Studio", () => {
  it("tells state, quantisation, context and slots of the instance that the name reaches", async () => {
    const { url } = serving(LMSTUDIO, unexpected);
    expect(await modelsAt(url)).toEqual([
      {
        id: "google/gemma-4-26b-a4b",
        engine: "lmstudio",
        state: "loaded",
        quantization: "Q4_K_M",
        context_length: 4_096,
        slots: 4,
      },
      {
        id: "text-embedding-nomic-embed-text-v1.5",
        engine: "lmstudio",
        state: "cold",
        quantization: "F16",
        context_length: 2_048,
      },
    ]);
  });

  it("before 0.4 tells the same by its older list, but for slots", async () => {
    const { url } = serving(LMSTUDIO_0_3, unexpected);
    expect(await modelsAt(url)).toEqual([
      {
        id: "qwen2-vl-7b-instruct",
        engine: "lmstudio",
        state: "cold",
        quantization: "4bit",
        context_length: 32_768,
      },
      {
        id: "meta-llama-3.1-8b-instruct",
        engine: "lmstudio",
        state: "loaded",
        quantization: "Q4_K_M",
        context_length: 8_192,
      },
    ]);
  });

  it("before 0.3.6 tells names only", async () => {
    const { url } = serving({ "/v1/models": LMSTUDIO_MODELS }, unexpected);
    expect(await modelsAt(url)).toEqual([
      { id: "google/gemma-4-26b-a4b", engine: "lmstudio", state: "unknown" },
    ]);
  });
});

describe("llama.cpp", () => {
  it("tells the context of one slot, the quantisation and the slots", async () => {
    const { url } = serving(LLAMACPP);
    expect(await modelsAt(url)).toEqual([
      {
        id: "qwen3:8b",
        engine: "llamacpp",
        state: "loaded",
        quantization: "Q4_K - Medium",
        context_length: 8_192,
        slots: 4,
      },
    ]);
    expect(await readLoad(await detected(url))).toEqual({ running: 2, slots: 4 });
  });

  it("as a router tells which models are loaded, and offers none that failed to load", async () => {
    const { url } = serving(LLAMACPP_ROUTER);
    expect(await modelsAt(url)).toEqual([
      { id: "a", engine: "llamacpp", state: "loaded" },
      { id: "b", engine: "llamacpp", state: "cold" },
      { id: "c", engine: "llamacpp", state: "cold" },
    ]);
  });

  it("is known while it loads, and offers nothing then", async () => {
    const { url } = serving(LLAMACPP_LOADING);
    const engine = await detected(url);
    expect(engine.kind).toBe("llamacpp");
    expect(await readHealth(engine)).toBe("loading");
    expect(await readModels(engine, new Map())).toEqual({ ok: false, reason: "status" });
  });

  it("does without slots and properties where they are switched off", async () => {
    const off = () => new Response("{}", { status: 501 });
    const { url } = serving({ ...LLAMACPP, "/props": off, "/slots": off });
    expect(await modelsAt(url)).toMatchObject([{ id: "qwen3:8b", context_length: 8_192 }]);
    expect(await readLoad(await detected(url))).toBeNull();
  });
});

describe("any other server", () => {
  it("offers the names that it lists", async () => {
    const { url } = serving(OPENAI);
    expect(await modelsAt(url)).toEqual([
      { id: "mistral-small", engine: "openai", state: "unknown" },
    ]);
  });

  it("has names left out that the network could not carry, and each name once", async () => {
    const data = ["ok", "ok", "", "line\nbreak", "x".repeat(257), "also/ok:1"].map((id) => ({
      id,
    }));
    const { url } = serving({ "/v1/models": { object: "list", data } });
    expect((await modelsAt(url)).map(({ id }) => id)).toEqual(["ok", "also/ok:1"]);
  });

  it("has facts left out that make no sense, and keeps the model", async () => {
    const data = [{ id: "m", max_model_len: -1 }];
    const { url } = serving({ "/v1/models": { object: "list", data } });
    expect(await modelsAt(url)).toEqual([{ id: "m", engine: "openai", state: "unknown" }]);
  });
});
