import type { EngineName } from "./engines";
import type { HttpRequest } from "./exchange";

/** One request whose answer must be the same with and without the network between. */
export type ConformanceCase = {
  readonly name: string;
  readonly engine: EngineName;
  readonly request: (modelId: string) => HttpRequest;
  /** What the engine itself says: shows that the case tests what its name promises. */
  readonly status: number;
  /** Found in the engine's answer, for the same reason. */
  readonly holds: readonly string[];
  /** The engine's error is one that no app can read: the network says it in OpenAI's shape, with the same status. */
  readonly isWordless?: boolean;
};

type JsonObject = Readonly<Record<string, unknown>>;

/** A greedy choice of words with a fixed seed: two runs give the same answer. */
const REPEATABLE = { temperature: 0, seed: 7 };

/** A case that posts JSON; `model`, `temperature` and `seed` are filled in. */
export function jsonCase(options: {
  readonly name: string;
  readonly engine?: EngineName;
  readonly target: string;
  readonly body: JsonObject;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status?: number;
  readonly holds?: readonly string[];
}): ConformanceCase {
  const { name, engine = "words", target, body, headers = {}, status = 200, holds = [] } = options;
  return {
    name,
    engine,
    status,
    holds,
    request: (model) => postJson(target, { model, ...REPEATABLE, ...body }, headers),
  };
}

export function postJson(
  target: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpRequest {
  return postText(target, JSON.stringify(body), headers);
}

export function postText(
  target: string,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): HttpRequest {
  return {
    method: "POST",
    target,
    headers: { "content-type": "application/json", ...headers },
    body: new TextEncoder().encode(text),
  };
}

export function userSays(content: unknown): JsonObject[] {
  return [{ role: "user", content }];
}
