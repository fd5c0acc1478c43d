/** Tokens that an engine counted; what it did not say is absent. */
export type Usage = {
  readonly promptTokens?: number;
  readonly completionTokens?: number;
};

const MOST_TOKENS = 1_000_000_000;

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads usage out of pieces of an answer, oldest first; later figures count, zeroed ones (Ollama's, while it runs)
 * do not. A quote inside a string of the answer is escaped, so a key that is found is a key.
 */
export function readUsage(pieces: readonly string[]): Usage {
  const usage: { -readonly [Key in keyof Usage]: Usage[Key] } = {};
  const take = (prompt: number | undefined, completion: number | undefined): void => {
    if (prompt !== undefined) usage.promptTokens = prompt;
    if (completion !== undefined) usage.completionTokens = completion;
  };
  for (const piece of pieces) {
    for (const fields of objectsNamed("usage", piece)) {
      const [prompt, completion] = told(fields);
      if (prompt || completion) take(prompt, completion);
    }
  }
  if (usage.completionTokens !== undefined) return usage;
  // llama.cpp's, which come with every last chunk, also where nobody asked for usage.
  for (const piece of pieces) {
    for (const fields of objectsNamed("timings", piece)) {
      const prompt = sum(count(fields, "prompt_n"), count(fields, "cache_n"));
      take(prompt, count(fields, "predicted_n"));
    }
  }
  return usage;
}

function told(fields: Fields): [prompt: number | undefined, completion: number | undefined] {
  const prompt =
    count(fields, "prompt_tokens") ??
    // Anthropic counts what came from a cache beside `input_tokens`; OpenAI counts it in.
    sum(
      count(fields, "input_tokens"),
      count(fields, "cache_read_input_tokens"),
      count(fields, "cache_creation_input_tokens"),
    );
  const completion = count(fields, "completion_tokens") ?? count(fields, "output_tokens");
  return [prompt, completion];
}

/** A number of tokens; what is none counts as not told. */
function count(fields: Fields, name: string): number | undefined {
  const value = fields[name];
  const isCount = typeof value === "number" && Number.isInteger(value);
  return isCount && value >= 0 && value <= MOST_TOKENS ? value : undefined;
}

function sum(...counts: readonly (number | undefined)[]): number | undefined {
  const known = counts.filter((count) => typeof count === "number");
  return known.length === 0 ? undefined : known.reduce((total, count) => total + count, 0);
}

/** Made once; a search begins where `lastIndex` says, and ends by setting it to 0. */
const KEYS = { usage: /"usage"\s*:\s*\{/g, timings: /"timings"\s*:\s*\{/g } as const;

/** Values of `"name":{…}` in a piece of JSON that may begin and end anywhere; cut ones are left out. */
function objectsNamed(name: keyof typeof KEYS, text: string): Fields[] {
  const found: Fields[] = [];
  const key = KEYS[name];
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

/** `text` begins with a brace: where it parses, it is an object. */
function parse(text: string): Fields {
  try {
    return JSON.parse(text) as Fields;
  } catch {
    return {}; // An engine may send anything; what is no JSON tells no usage.
  }
}
