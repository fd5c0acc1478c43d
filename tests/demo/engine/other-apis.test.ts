import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { dataOf, post, running } from "./running-engine";

type Embeddings = { data: { index: number; embedding: number[] | string }[] };

describe("embeddings", () => {
  it("are the same vectors as floats and as base64 of little-endian float32", async () => {
    const engine = running({ voice: "llamacpp" });
    const ask = { input: ["one", "two"] };
    const floats = (await (await post(engine, "/v1/embeddings", ask)).json()) as Embeddings;
    const coded = (await (
      await post(engine, "/v1/embeddings", { ...ask, encoding_format: "base64" })
    ).json()) as Embeddings;

    const decoded = coded.data.map(({ embedding }) => {
      const bytes = Buffer.from(String(embedding), "base64");
      return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(at * 4));
    });
    expect(decoded).toEqual(floats.data.map(({ embedding }) => embedding));
    expect(floats.data.map(({ index }) => index)).toEqual([0, 1]);
    expect(floats.data[0]).not.toEqual(floats.data[1]);
  });

  it("have the dimensions that were asked for, and length 1", async () => {
    const engine = running({ voice: "plain" });
    const ask = { input: "one", dimensions: 32 };
    const { data } = (await (await post(engine, "/v1/embeddings", ask)).json()) as Embeddings;
    const vector = data[0]?.embedding as number[];
    expect(vector).toHaveLength(32);
    expect(Math.hypot(...vector)).toBeCloseTo(1);
  });

  it("refuse a request without input, naming the field", async () => {
    const answer = await post(running({ voice: "plain" }), "/v1/embeddings", {});
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { param: "input" } });
  });
});

describe("transcriptions", () => {
  const audio = new Uint8Array([82, 73, 70, 70, 0, 255, 13, 10, 45, 45]);
  function form(fields: Record<string, string>): FormData {
    const data = new FormData();
    data.append("file", new File([audio], "a.wav"));
    for (const [name, value] of Object.entries(fields)) data.append(name, value);
    return data;
  }
  async function transcribe(fields: Record<string, string>): Promise<Response> {
    const { url } = running({ voice: "vllm" });
    const body = form({ model: "demo-org/Demo-1B-Instruct", ...fields });
    return fetch(`${url}/v1/audio/transcriptions`, { method: "POST", body });
  }

  it("tell which fields came in which order, and what the file was", async () => {
    const sha256 = createHash("sha256").update(audio).digest("hex");
    expect(await (await transcribe({ language: "en" })).json()).toMatchObject({
      text: expect.stringContaining("no model is running"),
      x_demo: { fields: ["file", "model", "language"], file: { name: "a.wav", bytes: 10, sha256 } },
    });
  });

  it.each([
    ["text", /^This is/, "text/plain"],
    ["srt", /^1\n00:00:00,000 --> /, "text/plain"],
    ["vtt", /^WEBVTT\n/, "text/vtt"],
  ])("come as %s where that was asked for", async (format, text, type) => {
    const answer = await transcribe({ response_format: format });
    expect(answer.headers.get("content-type")).toContain(type);
    expect(await answer.text()).toMatch(text);
  });

  it("stream without [DONE]", async () => {
    const events = dataOf(await (await transcribe({ stream: "true" })).text());
    expect(JSON.parse(events.at(-1) ?? "")).toMatchObject({ type: "transcript.text.done" });
  });

  it("refuse a body that is no form", async () => {
    const answer = await post(running({ voice: "vllm" }), "/v1/audio/transcriptions", {});
    expect(answer.status).toBe(400);
  });
});
