import { z } from "zod";
import { ModelId } from "./model-offer";

const MAX_ALIASES = 64;

/** Other names for models: apps that insist on one get the model that stands behind it. */
export const ModelAliases = z
  .record(ModelId, ModelId)
  .refine(
    (aliases) => Object.keys(aliases).length <= MAX_ALIASES,
    `at most ${MAX_ALIASES} aliases`,
  );
export type ModelAliases = z.infer<typeof ModelAliases>;

/** Reads `NAME=MODEL`, as people write it; `undefined` where it is none. A name may not hold `=`, a model may. */
export function parseAlias(text: string): readonly [name: string, model: string] | undefined {
  const equals = text.indexOf("=");
  const pair = [text.slice(0, Math.max(0, equals)).trim(), text.slice(equals + 1).trim()] as const;
  return pair.every((one) => ModelId.safeParse(one).success) ? pair : undefined;
}
