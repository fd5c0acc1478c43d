import { z } from "zod";
import { type EngineDriver, type EngineHealth, healthAfter } from "./driver";
import { type EngineAnswer, parseJson } from "./engine-reader";
import { toOffers } from "./offers";
import { MODELS_PATH, type OpenAiModel, OpenAiModels } from "./openai-models";

const Props = z.looseObject({
  default_generation_settings: z.looseObject({ n_ctx: z.number().nullish() }),
  total_slots: z.number().optional(),
  model_ftype: z.string().optional(),
  role: z.string().optional(),
});
const Healthy = z.looseObject({ status: z.literal("ok") });
const Loading = z.looseObject({
  error: z.looseObject({ code: z.literal(503), type: z.literal("unavailable_error") }),
});
const Unloaded = z.looseObject({ success: z.literal(true) });
const Slots = z.array(z.looseObject({ id: z.number(), is_processing: z.boolean() }));

export const llamacpp: EngineDriver = {
  kind: "llamacpp",
  async recognises(read) {
    const [models, props, health] = await Promise.all([
      read.json(MODELS_PATH, OpenAiModels),
      read.json("/props", Props),
      read.answer("/health"),
    ]);
    const cards = models.ok ? (models.value.data ?? []) : [];
    return (
      cards.some(({ owned_by: owner }) => owner === "llamacpp") ||
      (props.ok && (props.value.total_slots !== undefined || props.value.role === "router")) ||
      (health.ok && isLoading(health.value))
    );
  },
  async models(read) {
    const [models, props] = await Promise.all([
      read.json(MODELS_PATH, OpenAiModels),
      read.json("/props", Props),
    ]);
    if (!models.ok) return models;
    const cards = models.value.data ?? [];
    // A router's properties are its own, not those of the models behind it.
    const isRouter = cards.some(({ status }) => Boolean(status));
    const only = props.ok && !isRouter && props.value.role !== "router" ? props.value : undefined;
    const offers = toOffers(
      cards
        .filter(({ status }) => status?.failed !== true)
        .map((card) => ({
          id: card.id,
          engine: "llamacpp",
          state: stateOf(card),
          digest: undefined,
          quantization: card.meta?.ftype || only?.model_ftype,
          context_length: card.meta?.n_ctx || only?.default_generation_settings.n_ctx || undefined,
          slots: only?.total_slots,
          // llama.cpp's `created` is the time of the call.
          created_at: undefined,
        })),
    );
    return { ok: true, value: offers };
  },
  async health(read): Promise<EngineHealth> {
    const answer = await read.answer("/health");
    if (!answer.ok) return healthAfter(answer);
    if (isLoading(answer.value)) return "loading";
    return Healthy.safeParse(parseJson(answer.value.text)).success ? "ok" : "down";
  },
  async load(read) {
    const slots = await read.json("/slots", Slots);
    if (!slots.ok) return null;
    const running = slots.value.filter((slot) => slot.is_processing).length;
    return { running, slots: slots.value.length };
  },
  // A router's only: whoever serves one model has it loaded for good.
  async unload(read, model) {
    const answer = await read.postJson("/models/unload", { model }, Unloaded);
    return answer.ok;
  },
};

function isLoading({ status, text }: EngineAnswer): boolean {
  return status === 503 && Loading.safeParse(parseJson(text)).success;
}

function stateOf({ status }: OpenAiModel): "loaded" | "cold" | "unknown" {
  switch (status?.value) {
    // Without a status there is no router, and the one model is in memory.
    case undefined:
    case "loaded":
      return "loaded";
    case "unloaded":
    case "loading":
    case "sleeping":
      return "cold";
    default:
      return "unknown";
  }
}
