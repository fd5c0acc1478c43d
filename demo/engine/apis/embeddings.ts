import { z } from "zod";
import { countTokens, fnv1a } from "../prose";

const DIMENSIONS = 8;

const Body = z.looseObject({
  model: z.string().nullish(),
  input: z.union([
    z.string(),
    z.array(z.union([z.string(), z.number(), z.array(z.number())])).min(1),
  ]),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().positive().max(4_096).nullish(),
});

export type EmbeddingsAsk = z.infer<typeof Body>;

export function readEmbeddingsAsk(json: unknown): EmbeddingsAsk | { refusedField: string } {
  const parsed = Body.safeParse(json);
  if (parsed.success) return parsed.data;
  return { refusedField: String(parsed.error.issues[0]?.path[0] ?? "input") };
}

/** The same text gives the same unit vector; base64 is little-endian float32, as OpenAI's. */
export function embeddingsBody(ask: EmbeddingsAsk, model: string): string {
  const inputs = inputTexts(ask.input);
  const tokens = inputs.reduce((sum, text) => sum + countTokens(text), 0);
  return JSON.stringify({
    object: "list",
    data: inputs.map((text, index) => {
      const vector = embed(text, ask.dimensions ?? DIMENSIONS);
      const embedding =
        ask.encoding_format === "base64"
          ? Buffer.from(vector.buffer).toString("base64")
          : Array.from(vector);
      return { object: "embedding", index, embedding };
    }),
    model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
}

function inputTexts(input: EmbeddingsAsk["input"]): string[] {
  if (typeof input === "string") return [input];
  const isOneTokenList = input.every((part) => typeof part === "number");
  if (isOneTokenList) return [input.join(" ")];
  return input.map((part) => (Array.isArray(part) ? part.join(" ") : String(part)));
}

function embed(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (let at = 0; at < dimensions; at += 1) {
    vector[at] = fnv1a(`${at}:${text}`) / 0x80_00_00_00 - 1;
  }
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
