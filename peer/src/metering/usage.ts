import { z } from "zod";

/** Tokens that an engine counted; what it did not say is absent. */
export type Usage = {
  readonly promptTokens?: number;
  readonly completionTokens?: number;
};

const Count = z.int().nonnegative().max(1_000_000_000).nullish();
const UsageBody = z.looseObject({
  prompt_tokens: Count,
  completion_tokens: Count,
  input_tokens: Count,
  output_tokens: Count,
  /** Anthropic counts what came from a cache beside `input_tokens`; OpenAI counts it in. */
  cache_read_input_tokens: Count,
  cache_creation_input_tokens: Count,
});
/** llama.cpp's, which come with every last chunk, also where nobody asked for usage. */
const Timings = z.looseObject({ prompt_n: Count, cache_n: Count, predicted_n: Count });

/**
 * Reads usage out of pieces of an answer, oldest first; later figures count, zeroed ones (Ollama's, while it runs)
 * do not. A quote inside a string of the answer is escaped, so a key that is found is a key.
 */
export function readUsage(pieces: readonly string[]): Usage {
  let usage: Usage = {};
  for (const object of pieces.flatMap((piece) => objectsNamed("usage", piece))) {
    const parsed = UsageBody.safeParse(object);
    if (parsed.success) usage = { ...usage, ...told(parsed.data) };
  }
  if (usage.completionTokens !== undefined) return usage;
  for (const object of pieces.flatMap((piece) => objectsNamed("timings", piece))) {
    const { data: timings } = Timings.safeParse(object);
    const promptTokens = sum(timings?.prompt_n, timings?.cache_n);
    usage = { ...usage, ...defined(promptTokens, timings?.predicted_n ?? undefined) };
  }
  return usage;
}

function told(body: z.infer<typeof UsageBody>): Usage {
  const prompt =
    body.prompt_tokens ??
    sum(body.input_tokens, body.cache_read_input_tokens, body.cache_creation_input_tokens);
  const completion = body.completion_tokens ?? body.output_tokens ?? undefined;
  if (!prompt && !completion) return {};
  return defined(prompt, completion);
}

function defined(promptTokens: number | undefined, completionTokens: number | undefined): Usage {
  return {
    ...(promptTokens !== undefined && { promptTokens }),
    ...(completionTokens !== undefined && { completionTokens }),
  };
}

function sum(...counts: readonly (number | null | undefined)[]): number | undefined {
  const known = counts.filter((count) => typeof count === "number");
  return known.length === 0 ? undefined : known.reduce((total, count) => total + count, 0);
}

/** Values of `"name":{…}` in a piece of JSON that may begin and end anywhere; cut ones are left out. */
function objectsNamed(name: "usage" | "timings", text: string): unknown[] {
  const found: unknown[] = [];
  const key = name === "usage" ? /"usage"\s*:\s*\{/g : /"timings"\s*:\s*\{/g;
  for (let match = key.exec(text); match !== null; match = key.exec(text)) {
    const end = closingBrace(text, key.lastIndex);
    if (end !== -1) found.push(parse(text.slice(key.lastIndex - 1, end + 1)));
  }
  return found;
}

/** `from` is behind the opening one; the objects looked for hold no strings with braces. */
function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    const char = text[at];
    if (char === "{") depth += 1;
    else if (char === "}" && --depth === 0) return at;
  }
  return -1;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // An engine may send anything; what is no JSON tells no usage.
  }
}
