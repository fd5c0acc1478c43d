import { type EngineDriver, healthAfter } from "./driver";
import { toOffers } from "./offers";
import { MODELS_PATH, type OpenAiModel, OpenAiModels } from "./openai-models";

export const vllm: EngineDriver = {
  kind: "vllm",
  async recognises(read) {
    const models = await read.json(MODELS_PATH, OpenAiModels);
    return models.ok && (models.value.data ?? []).some(isCard);
  },
  async models(read) {
    const models = await read.json(MODELS_PATH, OpenAiModels);
    if (!models.ok) return models;
    const cards = models.value.data ?? [];
    const lengths = new Map(cards.map((card) => [card.id, card.max_model_len]));
    const offers = toOffers(
      cards.map((card) => ({
        id: card.id,
        engine: "vllm",
        state: "loaded",
        digest: undefined,
        quantization: undefined,
        // A LoRA card tells no length: it has its base model's.
        context_length: card.max_model_len ?? lengths.get(card.parent ?? ""),
        slots: undefined,
        // vLLM's `created` is the time of the call.
        created_at: undefined,
      })),
    );
    return { ok: true, value: offers };
  },
  async health(read) {
    const answer = await read.answer("/health");
    if (!answer.ok) return healthAfter(answer);
    // Status 200 alone would also be LM Studio, which answers so to any path.
    return answer.value.status === 200 && answer.value.text.trim() === "" ? "ok" : "down";
  },
  async load(read) {
    const answer = await read.answer("/metrics");
    if (!answer.ok || answer.value.status !== 200) return null;
    const running = gauge(answer.value.text, "vllm:num_requests_running");
    const waiting = gauge(answer.value.text, "vllm:num_requests_waiting");
    return running === null ? null : { running, ...(waiting === null ? {} : { waiting }) };
  },
};

function isCard(card: OpenAiModel): boolean {
  return card.owned_by === "vllm" && card.max_model_len !== undefined;
}

/** The sum over all series of a Prometheus gauge; null if there is none. */
function gauge(metrics: string, name: string): number | null {
  const values = metrics
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => Number(line.slice(line.lastIndexOf(" ") + 1)));
  const known = values.filter(Number.isFinite);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
