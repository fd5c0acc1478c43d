import { type EngineDriver, healthAfter } from "./driver";
import { toOffers } from "./offers";
import { MODELS_PATH, type OpenAiModels as Models, OpenAiModels } from "./openai-models";

/** Any other server that lists models as OpenAI does. */
export const openai: EngineDriver = {
  kind: "openai",
  async recognises(read) {
    const models = await read.json(MODELS_PATH, OpenAiModels);
    return models.ok && isList(models.value);
  },
  async models(read) {
    const models = await read.json(MODELS_PATH, OpenAiModels);
    if (!models.ok) return models;
    const offers = toOffers(
      (models.value.data ?? []).map((card) => ({
        id: card.id,
        engine: "openai",
        state: "unknown",
        digest: undefined,
        quantization: undefined,
        context_length: card.max_model_len,
        slots: undefined,
        // Many servers put the time of the call here, so it proves nothing.
        created_at: undefined,
      })),
    );
    return { ok: true, value: offers };
  },
  health: async (read) => healthAfter(await read.json(MODELS_PATH, OpenAiModels)),
  load: () => Promise.resolve(null),
};

/** An empty list without `object` could be anybody's. */
function isList({ object, data }: Models): boolean {
  return object === "list" || (data ?? []).length > 0;
}
