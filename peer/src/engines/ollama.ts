import { z } from "zod";
import { type EngineDriver, type EngineMemory, healthAfter } from "./driver";
import type { EngineReader } from "./engine-reader";
import { toOffers } from "./offers";

const Version = z.looseObject({ version: z.string() });
const Model = z.looseObject({
  name: z.string(),
  digest: z.string(),
  modified_at: z.string().optional(),
  details: z.looseObject({ quantization_level: z.string().optional() }).nullish(),
  remote_host: z.string().optional(),
  remote_model: z.string().optional(),
});
/** llama.cpp has an `/api/tags` too; it differs by the OpenAI list in the same body. */
const Tags = z.looseObject({ models: z.array(Model).nullable(), data: z.never().optional() });
const Running = z.looseObject({
  models: z
    .array(z.looseObject({ name: z.string(), context_length: z.number().optional() }))
    .nullable(),
});
const Show = z.looseObject({
  parameters: z.string().optional(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
});

/** Of a request without a prompt that keeps nothing alive. */
const Unloaded = z.looseObject({ done: z.literal(true) });

const SHOWN_AT_ONCE = 4;

export const ollama: EngineDriver = {
  kind: "ollama",
  async recognises(read) {
    const [version, tags] = await Promise.all([
      read.json("/api/version", Version),
      read.json("/api/tags", Tags),
    ]);
    return version.ok && tags.ok;
  },
  async models(read, memory) {
    const [tags, running] = await Promise.all([
      read.json("/api/tags", Tags),
      read.json("/api/ps", Running),
    ]);
    if (!tags.ok) return tags;
    const local = (tags.value.models ?? []).filter((model) => !isCloud(model));
    const loaded = new Map(
      running.ok
        ? (running.value.models ?? []).map((model) => [model.name, model.context_length])
        : [],
    );
    const maxima = await contextMaxima(read, local, memory);
    const offers = toOffers(
      local.map(({ name, digest, modified_at: modifiedAt, details }) => ({
        id: name,
        engine: "ollama",
        state: running.ok ? (loaded.has(name) ? "loaded" : "cold") : "unknown",
        digest,
        quantization: details?.quantization_level,
        context_length: loaded.get(name) || maxima.get(digest),
        slots: undefined,
        created_at: unixSeconds(modifiedAt),
      })),
    );
    return { ok: true, value: offers };
  },
  health: async (read) => healthAfter(await read.json("/api/version", Version)),
  load: () => Promise.resolve(null),
  async unload(read, model) {
    const body = { model, keep_alive: 0 };
    const answer = await read.postJson("/api/generate", body, Unloaded);
    return answer.ok;
  },
};

/** Models that Ollama only passes on to its cloud are not this machine's to lend. */
function isCloud(model: z.infer<typeof Model>): boolean {
  return /[:-]cloud$/.test(model.name) || Boolean(model.remote_host) || Boolean(model.remote_model);
}

/** Context of each model by digest, asked once per digest; one that Ollama won't show is absent. */
async function contextMaxima(
  read: EngineReader,
  models: readonly z.infer<typeof Model>[],
  memory: EngineMemory,
): Promise<ReadonlyMap<string, number>> {
  const listed = new Set(models.map(({ digest }) => digest));
  for (const digest of memory.keys()) if (!listed.has(digest)) memory.delete(digest);

  const missing = models.filter(({ digest }) => !memory.has(digest));
  const askInTurn = async (): Promise<void> => {
    for (let model = missing.pop(); model !== undefined; model = missing.pop()) {
      const shown = await read.postJson("/api/show", { model: model.name }, Show);
      const context = shown.ok ? contextOf(shown.value) : null;
      if (context !== null) memory.set(model.digest, context);
    }
  };
  await Promise.all(Array.from({ length: SHOWN_AT_ONCE }, askInTurn));
  return memory;
}

/** A `num_ctx` in the Modelfile is what will be in force; else what the model was made for. */
function contextOf({ parameters, model_info: info }: z.infer<typeof Show>): number | null {
  const set = /^num_ctx\s+(\d+)$/m.exec(parameters ?? "")?.[1];
  if (set !== undefined) return Number(set);
  const architecture = String(info?.["general.architecture"]);
  const made = info?.[`${architecture}.context_length`];
  return typeof made === "number" ? made : null;
}

function unixSeconds(time: string | undefined): number | undefined {
  const ms = Date.parse(time ?? "");
  return Number.isNaN(ms) ? undefined : Math.floor(ms / 1_000);
}
