import { onTestFinished } from "vitest";
import { type DemoEngine, type DemoEngineOptions, startDemoEngine } from "#demo/engine/start";

/** A demo engine that ends with the test. */
export function running(options: DemoEngineOptions): DemoEngine {
  const engine = startDemoEngine(options);
  onTestFinished(() => engine.close());
  return engine;
}

export const HELLO = [{ role: "user", content: "hello" }];

/** Posts to an engine, naming its first model unless the body names one. */
export function post(
  engine: DemoEngine,
  path: string,
  body: object,
  init: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Response> {
  const { headers, ...rest } = init;
  return fetch(engine.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify({ model: engine.models()[0]?.id, ...body }),
    ...rest,
  });
}

/** What follows `data: ` in each event, as text. */
export function dataOf(stream: string): string[] {
  return stream
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice("data: ".length));
}

/** The chunks of a whole chat stream, which has to end with `[DONE]`. */
export function chunksOf(stream: string): Chunk[] {
  const data = dataOf(stream);
  if (data.pop() !== "[DONE]") throw new Error("the stream does not end with [DONE]");
  return data.map((json) => JSON.parse(json) as Chunk);
}

export type Chunk = {
  id: string;
  created: number;
  choices: {
    text?: string;
    delta?: {
      role?: string;
      content?: string | null;
      tool_calls?: { index: number; id?: string; function: { name?: string; arguments: string } }[];
    };
    finish_reason: string | null;
  }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens: number } | null;
};

export function contentOf(chunks: Chunk[]): string {
  return chunks.map(({ choices }) => choices[0]?.delta?.content ?? choices[0]?.text ?? "").join("");
}
