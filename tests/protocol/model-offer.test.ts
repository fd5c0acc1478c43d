import { EngineKind, ModelId, ModelOffer } from "#protocol/model-offer";
import { expect, it } from "vitest";
import { boundsOf } from "./schema-bounds";

boundsOf(
  "ModelOffer",
  ModelOffer,
  {
    id: "meta-llama/Llama-3.1-8B-Instruct",
    engine: "vllm",
    state: "loaded",
    digest: "sha256:0123",
    quantization: "Q4_K_M",
    context_length: 131_072,
    slots: 8,
    created_at: 1_700_000_000,
  },
  {
    optional: ["digest", "quantization", "context_length", "slots", "created_at"],
    integers: {
      context_length: { min: 1, max: 100_000_000 },
      slots: { min: 1, max: 65_536 },
      created_at: { min: 0, max: Number.MAX_SAFE_INTEGER },
    },
    texts: {
      id: { min: 1, max: 256 },
      digest: { min: 0, max: 128 },
      quantization: { min: 0, max: 64 },
    },
    plain: ["id", "digest", "quantization"],
    refuses: [
      ["an engine that nobody knows", "engine", "excel"],
      ["a state that nobody knows", "state", "warm"],
    ],
  },
);

it.each(["llama3.1:8b", "hf.co/org/Model-GGUF:Q4_K_M", "模型 7b", "a b", "🐒"])(
  "takes %s as a model's name",
  (id) => expect(ModelId.parse(id)).toBe(id),
);

it("knows each engine by one name", () => {
  expect(new Set(EngineKind.options).size).toBe(EngineKind.options.length);
});
