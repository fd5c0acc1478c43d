import { z } from "zod";
import type { ModelOffer } from "#protocol/model-offer";
import type { Outcome } from "#protocol/outcome";
import { type EngineDriver, healthAfter } from "./driver";
import type { EngineReader, ReadRefusal } from "./engine-reader";
import { toOffers } from "./offers";
import { MODELS_PATH, OpenAiModels } from "./openai-models";

const Instance = z.looseObject({
  id: z.string(),
  config: z
    .looseObject({ context_length: z.number().optional(), parallel: z.number().optional() })
    .nullish(),
});
/** Since 0.4.0. */
const V1Models = z.looseObject({
  models: z.array(
    z.looseObject({
      type: z.string(),
      key: z.string(),
      quantization: z.looseObject({ name: z.string().nullish() }).nullish(),
      loaded_instances: z.array(Instance).nullish(),
      max_context_length: z.number().nullish(),
    }),
  ),
});
/** Since 0.3.6. */
const V0Models = z.looseObject({
  data: z.array(
    z.looseObject({
      id: z.string(),
      type: z.string(),
      state: z.enum(["loaded", "not-loaded"]),
      quantization: z.string().nullish(),
      max_context_length: z.number().nullish(),
      loaded_context_length: z.number().nullish(),
    }),
  ),
});
const Unloaded = z.looseObject({ instance_id: z.string() });
/** What it says, with status 200, to any path that it doesn't know. */
const Unexpected = z.strictObject({
  error: z.string().startsWith("Unexpected endpoint or method"),
});

export const lmstudio: EngineDriver = {
  kind: "lmstudio",
  async recognises(read) {
    const [v1, v0, unexpected] = await Promise.all([
      read.json("/api/v1/models", V1Models),
      read.json("/api/v0/models", V0Models),
      // Ollama's path: no version of LM Studio has it.
      read.json("/api/version", Unexpected),
    ]);
    const hasModels = (v1.ok && v1.value.models.length > 0) || (v0.ok && v0.value.data.length > 0);
    return hasModels || unexpected.ok;
  },
  async models(read) {
    const v1 = await read.json("/api/v1/models", V1Models);
    if (v1.ok) return { ok: true, value: offersOfV1(v1.value) };
    const v0 = await read.json("/api/v0/models", V0Models);
    if (v0.ok) return { ok: true, value: offersOfV0(v0.value) };
    return namesOnly(read);
  },
  // Not /v1/models: whatever took its place has that too.
  health: async (read) => healthAfter(await read.json("/api/v1/models", V1Models.or(Unexpected))),
  load: () => Promise.resolve(null),
  // Loaded by a request, an instance has the model's own name. Before 0.4.0 there is no way.
  async unload(read, instanceId) {
    const body = { instance_id: instanceId };
    const answer = await read.postJson("/api/v1/models/unload", body, Unloaded);
    return answer.ok;
  },
};

function offersOfV1({ models }: z.infer<typeof V1Models>): readonly ModelOffer[] {
  return toOffers(
    models.map((model) => {
      const instances = model.loaded_instances ?? [];
      // A second instance is named `key:2`; requests for the key go to the first.
      const config = (instances.find(({ id }) => id === model.key) ?? instances[0])?.config;
      return {
        id: model.key,
        engine: "lmstudio",
        state: instances.length > 0 ? "loaded" : "cold",
        digest: undefined,
        quantization: model.quantization?.name,
        context_length: config?.context_length ?? model.max_context_length,
        slots: config?.parallel,
        created_at: undefined,
      };
    }),
  );
}

function offersOfV0({ data }: z.infer<typeof V0Models>): readonly ModelOffer[] {
  return toOffers(
    data.map((model) => ({
      id: model.id,
      engine: "lmstudio",
      state: model.state === "loaded" ? "loaded" : "cold",
      digest: undefined,
      quantization: model.quantization,
      context_length: model.loaded_context_length ?? model.max_context_length,
      slots: undefined,
      created_at: undefined,
    })),
  );
}

async function namesOnly(read: EngineReader): Promise<Outcome<readonly ModelOffer[], ReadRefusal>> {
  const models = await read.json(MODELS_PATH, OpenAiModels);
  if (!models.ok) return models;
  const unknown = { digest: undefined, quantization: undefined, context_length: undefined };
  return {
    ok: true,
    value: toOffers(
      (models.value.data ?? []).map(({ id }) => ({
        id,
        engine: "lmstudio",
        state: "unknown",
        slots: undefined,
        created_at: undefined,
        ...unknown,
      })),
    ),
  };
}
