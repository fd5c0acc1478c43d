import { z } from "zod";
import { textOfStream } from "#support/last-words";

/** How a streamed chat completion ended, as its reader sees it; `error:…` is the code that the stream gave. */
export type StreamEnd =
  | "whole"
  | "short"
  | "not_done"
  | "malformed"
  | `error:${string}`
  | `status:${number}`;

const Chunk = z.looseObject({
  error: z.looseObject({ code: z.string() }).optional(),
  choices: z
    .array(
      z.looseObject({
        delta: z.looseObject({ content: z.string().nullish() }).optional(),
        finish_reason: z.string().nullish(),
      }),
    )
    .optional(),
});

/** `tokens`: how many pieces of text a whole answer has. */
export function streamEnd(status: number, text: string, tokens: number): StreamEnd {
  if (status !== 200) return `status:${status}`;
  let texts = 0;
  let isFinished = false;
  const events = textOfStream(text).split("\n\n");
  for (const event of events) {
    if (!event.startsWith("data: {")) continue;
    const chunk = parsed(event.slice("data: ".length));
    if (chunk === undefined) return "malformed";
    // An error comes in front of [DONE], too.
    if (chunk.error !== undefined) return `error:${chunk.error.code}`;
    for (const { delta, finish_reason: reason } of chunk.choices ?? []) {
      if ((delta?.content ?? "") !== "") texts += 1;
      isFinished ||= typeof reason === "string";
    }
  }
  if (!isFinished || events.at(-2) !== "data: [DONE]" || events.at(-1) !== "") return "not_done";
  return texts < tokens ? "short" : "whole";
}

function parsed(json: string): z.infer<typeof Chunk> | undefined {
  try {
    return Chunk.safeParse(JSON.parse(json)).data;
  } catch {
    return undefined; // Cut or mixed up on its way.
  }
}
