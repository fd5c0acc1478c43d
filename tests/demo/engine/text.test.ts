import { describe, expect, it } from "vitest";
import { VOICES } from "#demo/engine/settings";
import { type Chunk, chunksOf, contentOf, dataOf, HELLO, post, running } from "./running-engine";

const WEATHER = {
  type: "object",
  properties: { place: { type: "string" }, days: { type: "integer", minimum: 2 } },
  required: ["place", "days"],
};
type Whole = {
  choices: { message: { content: string }; finish_reason: string }[];
  usage: { completion_tokens: number };
};

describe.each(VOICES)("as %s", (voice) => {
  it("says in its text that no model is running", async () => {
    const engine = running({ voice });
    const answer = (await (
      await post(engine, "/v1/chat/completions", { messages: HELLO })
    ).json()) as Whole;
    expect(answer.choices[0]?.message.content).toMatch(
      /^This is Monkey Troop's demo engine; no model is running\./,
    );
  });

  it("gives the same text streamed and whole, with the same count of tokens", async () => {
    const engine = running({ voice, tokensPerAnswer: 200 });
    const ask = { messages: [{ role: "user", content: "tell me about 木" }] };
    const whole = (await (await post(engine, "/v1/chat/completions", ask)).json()) as Whole;
    const usage = { stream: true, stream_options: { include_usage: true } };
    const stream = await post(engine, "/v1/chat/completions", { ...ask, ...usage });
    const chunks = chunksOf(await stream.text());

    expect(contentOf(chunks)).toBe(whole.choices[0]?.message.content);
    expect(Buffer.byteLength(contentOf(chunks))).toBeGreaterThan(contentOf(chunks).length);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(200);
    expect(whole.usage.completion_tokens).toBe(200);
    expect(chunks.at(-1)?.choices).toEqual([]);
  });

  it("stops at max_tokens and says why", async () => {
    const engine = running({ voice });
    const ask = { messages: HELLO, max_tokens: 3, stream: true };
    const chunks = chunksOf(await (await post(engine, "/v1/chat/completions", ask)).text());
    expect(contentOf(chunks)).toBe("This is Monkey");
    expect(chunks.flatMap(reasons)).toEqual(["length"]);
  });

  it("sends no usage in a stream that did not ask for it", async () => {
    const engine = running({ voice });
    const ask = { messages: HELLO, stream: true };
    const chunks = chunksOf(await (await post(engine, "/v1/chat/completions", ask)).text());
    expect(chunks.filter(({ usage }) => usage)).toEqual([]);
    expect(chunks.flatMap(reasons)).toEqual(["stop"]);
  });

  it("calls the tool that it has to call, with arguments that fit its schema", async () => {
    const engine = running({ voice });
    const tools = [{ type: "function", function: { name: "weather", parameters: WEATHER } }];
    const ask = { messages: HELLO, tools, tool_choice: "required", stream: true };
    const chunks = chunksOf(await (await post(engine, "/v1/chat/completions", ask)).text());
    const deltas = chunks.flatMap(({ choices }) => choices[0]?.delta?.tool_calls ?? []);

    expect(JSON.parse(deltas.map((delta) => delta.function.arguments).join(""))).toEqual({
      place: "démo",
      days: 2,
    });
    expect(deltas.every(({ index }) => index === 0)).toBe(true);
    expect(deltas.filter(({ id }) => id !== undefined)).toHaveLength(1);
    expect(deltas[0]?.function.name).toBe("weather");
    expect(chunks.flatMap(reasons)).toEqual(["tool_calls"]);
  });

  it("answers a JSON schema with JSON that fits it", async () => {
    const engine = running({ voice });
    const format = { type: "json_schema", json_schema: { name: "w", schema: WEATHER } };
    const ask = { messages: HELLO, response_format: format };
    const answer = (await (await post(engine, "/v1/chat/completions", ask)).json()) as Whole;
    expect(JSON.parse(answer.choices[0]?.message.content ?? "")).toEqual({
      place: "démo",
      days: 2,
    });
  });

  it("speaks text completions, streamed and whole", async () => {
    const engine = running({ voice });
    const whole = (await (await post(engine, "/v1/completions", { prompt: "x" })).json()) as Chunk;
    const stream = await post(engine, "/v1/completions", { prompt: "x", stream: true });
    expect(contentOf(chunksOf(await stream.text()))).toBe(whole.choices[0]?.text);
  });

  it("speaks Anthropic's messages in the order of its events", async () => {
    const engine = running({ voice });
    const ask = { messages: HELLO, max_tokens: 2, stream: true };
    const text = await (await post(engine, "/v1/messages?beta=true", ask)).text();
    const events = dataOf(text).map((json) => JSON.parse(json) as { type: string });
    expect(events.map(({ type }) => type)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
      "content_block_delta",
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    expect(events.at(-2)).toMatchObject({
      delta: { stop_reason: "max_tokens" },
      usage: { output_tokens: 2 },
    });
  });

  it("speaks responses without [DONE], numbered where the engine numbers them", async () => {
    const engine = running({ voice });
    const ask = { input: "hello", stream: true };
    const text = await (await post(engine, "/v1/responses", ask)).text();
    const events = dataOf(text).map(
      (json) => JSON.parse(json) as { type: string; sequence_number?: number; delta?: string },
    );
    const isNumbered = voice !== "llamacpp";
    expect(events.map((event) => event.sequence_number)).toEqual(
      events.map((_, at) => (isNumbered ? at : undefined)),
    );
    const deltas = events.filter(({ type }) => type === "response.output_text.delta");
    expect(events.at(-1)).toMatchObject({
      type: "response.completed",
      response: {
        output: [{ content: [{ text: deltas.map(({ delta }) => delta).join("") }] }],
        usage: { output_tokens: deltas.length },
      },
    });
  });
});

it("depends on the last message alone for its text", async () => {
  const engine = running({ voice: "plain" });
  const textFor = async (content: string): Promise<string | undefined> => {
    const ask = { messages: [{ role: "user", content }] };
    const answer = (await (await post(engine, "/v1/chat/completions", ask)).json()) as Whole;
    return answer.choices[0]?.message.content;
  };
  const first = await textFor("one");
  expect(await textFor("two")).not.toBe(first);
  expect(await textFor("one")).toBe(first);
});

it("streams in chunks, however fast it is", async () => {
  const engine = running({ voice: "vllm" });
  const answer = await post(engine, "/v1/chat/completions", { messages: HELLO, stream: true });
  expect(answer.headers.get("content-length")).toBeNull();
  expect(answer.headers.get("transfer-encoding")).toBe("chunked");
  expect(chunksOf(await answer.text()).length).toBeGreaterThan(40);
});

it("repeats an answer byte for byte when asked to be deterministic", async () => {
  const engine = running({ voice: "vllm", deterministic: true });
  const ask = { messages: HELLO, stream: true };
  const first = await (await post(engine, "/v1/chat/completions", ask)).text();
  expect(await (await post(engine, "/v1/chat/completions", ask)).text()).toBe(first);
});

function reasons({ choices }: Chunk): string[] {
  return choices.flatMap(({ finish_reason: reason }) => reason ?? []);
}
