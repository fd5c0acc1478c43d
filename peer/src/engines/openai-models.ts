import { z } from "zod";

/** `GET /v1/models` as every engine has it; Ollama without models says `null`. */
export const OpenAiModels = z.looseObject({
  object: z.literal("list").optional(),
  data: z
    .array(
      z.looseObject({
        id: z.string(),
        owned_by: z.string().nullish(),
        max_model_len: z.number().nullish(),
        parent: z.string().nullish(),
        meta: z.looseObject({ n_ctx: z.number().nullish(), ftype: z.string().nullish() }).nullish(),
        status: z.looseObject({ value: z.string(), failed: z.boolean().optional() }).nullish(),
      }),
    )
    .nullable(),
});
export type OpenAiModels = z.infer<typeof OpenAiModels>;
export type OpenAiModel = NonNullable<OpenAiModels["data"]>[number];

export const MODELS_PATH = "/v1/models";
