import { createHash } from "node:crypto";
import { countTokens, prose } from "../prose";

/** One part of a multipart body, in the order in which it arrived. */
type Field = { name: string; value: string | File };

export type Transcription = {
  readonly model: string;
  readonly format: string;
  readonly stream: boolean;
  readonly text: string;
  /** What arrived, for tests: names in order, and the file's size and hash. */
  readonly heard: {
    fields: string[];
    file: { name: string; bytes: number; sha256: string } | null;
  };
};

/** Reads a multipart form; null if it is none, or has no file. */
export async function readTranscription(
  body: Uint8Array<ArrayBuffer>,
  type: string,
): Promise<Transcription | null> {
  let form: FormData;
  try {
    form = await new Response(body, { headers: { "content-type": type } }).formData();
  } catch {
    // Not a form at all: the caller answers 400, there is nothing more to tell.
    return null;
  }
  const fields: Field[] = [...form.entries()].map(([name, value]) => ({ name, value }));
  const file = fields.find((field) => field.value instanceof File)?.value;
  if (!(file instanceof File)) return null;
  const bytes = new Uint8Array(await file.arrayBuffer());
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const valueOf = (wanted: string): string => {
    const value = fields.find(({ name }) => name === wanted)?.value;
    return typeof value === "string" ? value : "";
  };
  return {
    model: valueOf("model"),
    format: valueOf("response_format") || "json",
    stream: valueOf("stream") === "true",
    text: prose(sha256, 24)
      .map((piece) => piece.text)
      .join(""),
    heard: {
      fields: fields.map(({ name }) => name),
      file: { name: file.name, bytes: bytes.byteLength, sha256 },
    },
  };
}

/** Not every format is JSON: text, srt and vtt are what they say. */
export function transcriptionResponse({ format, text, heard }: Transcription): Response {
  const textType = { "content-type": "text/plain; charset=utf-8" };
  switch (format) {
    case "text":
      return new Response(`${text}\n`, { headers: textType });
    case "srt":
      return new Response(`1\n00:00:00,000 --> 00:00:02,000\n${text}\n\n`, { headers: textType });
    case "vtt":
      return new Response(`WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n${text}\n\n`, {
        headers: { "content-type": "text/vtt; charset=utf-8" },
      });
    default: {
      const seconds = { type: "duration", seconds: 2 };
      return Response.json({ text, usage: seconds, x_demo: heard });
    }
  }
}

/** The stream of a transcription has no `[DONE]`. */
export function transcriptionStream({ text }: Transcription): Response {
  const frame = (event: Record<string, unknown>): string => `data: ${JSON.stringify(event)}\n\n`;
  const tokens = countTokens(text);
  const deltas = (text.match(/\s?\S+/gu) ?? []).map((delta) =>
    frame({ type: "transcript.text.delta", delta }),
  );
  const usage = { type: "tokens", input_tokens: 0, output_tokens: tokens, total_tokens: tokens };
  const done = frame({ type: "transcript.text.done", text, usage });
  return new Response(deltas.join("") + done, { headers: { "content-type": "text/event-stream" } });
}
