import Anthropic from "@anthropic-ai/sdk";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { ChatOpenAI } from "@langchain/openai";
import { generateText, streamText } from "ai";
import OpenAI, { NotFoundError } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoModel } from "#demo/engine/settings";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { startNetwork, type TestNetwork } from "#support/network";

const DEMO = "demo engine";

let engine: DemoEngine;
let network: TestNetwork;
const modelOf = (kind: "chat" | "embedding") =>
  engine.models().find((model) => model.kind === kind)?.id ?? "";

beforeAll(async () => {
  engine = startDemoEngine({
    voice: "vllm",
    models: [demoModel("org/chat"), demoModel("org/embed", { kind: "embedding" })],
  });
  network = await startNetwork({ engineUrl: engine.url });
});

afterAll(async () => {
  await network.stop();
  await engine.close();
});

describe("openai", () => {
  const client = () =>
    new OpenAI({ baseURL: `${network.baseUrl}/v1`, apiKey: "any", maxRetries: 0 });
  const messages = [{ role: "user" as const, content: "Hello" }];

  it("gets an answer, a stream with usage, and a stream that it can abort", async () => {
    const whole = await client().chat.completions.create({ model: modelOf("chat"), messages });
    expect(whole.choices[0]?.message.content).toContain(DEMO);

    const stream = await client().chat.completions.create({
      model: modelOf("chat"),
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let usage: unknown;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    expect(text).toContain(DEMO);
    expect(usage).toMatchObject({ completion_tokens: expect.any(Number) });

    engine.configure({ tokensPerSecond: 5 });
    const cut = await client().chat.completions.create({
      model: modelOf("chat"),
      messages,
      stream: true,
    });
    for await (const _ of cut) cut.controller.abort();
    engine.configure({ tokensPerSecond: 0 });
    await expect.poll(() => engine.load().busy).toBe(0);
  });

  it("uses responses, embeddings and the model list", async () => {
    const response = await client().responses.create({ model: modelOf("chat"), input: "Hello" });
    expect(response.output_text).toContain(DEMO);
    const { data } = await client().embeddings.create({ model: modelOf("embedding"), input: "x" });
    expect(data[0]?.embedding.length).toBeGreaterThan(1);
    const listed: string[] = [];
    for await (const { id } of client().models.list()) listed.push(id);
    expect(listed).toContain(modelOf("chat"));
  });

  it("sees an unknown model as its own NotFoundError", async () => {
    const asked = client().chat.completions.create({ model: "no/such", messages });
    await expect(asked).rejects.toBeInstanceOf(NotFoundError);
  });
});

it("ai with @ai-sdk/openai-compatible gets an answer and a stream", async () => {
  const provider = createOpenAICompatible({
    name: "troop",
    baseURL: `${network.baseUrl}/v1`,
    includeUsage: true,
  });
  const model = provider(modelOf("chat"));
  const { text } = await generateText({ model, prompt: "Hello", maxRetries: 0 });
  expect(text).toContain(DEMO);
  const stream = streamText({ model, prompt: "Hello", maxRetries: 0 });
  let streamed = "";
  for await (const part of stream.textStream) streamed += part;
  expect(streamed).toContain(DEMO);
});

it("@langchain/openai gets an answer and a stream", async () => {
  const model = new ChatOpenAI({
    model: modelOf("chat"),
    apiKey: "any",
    maxRetries: 0,
    configuration: { baseURL: `${network.baseUrl}/v1` },
  });
  expect((await model.invoke("Hello")).text).toContain(DEMO);
  let streamed = "";
  for await (const chunk of await model.stream("Hello")) streamed += chunk.text;
  expect(streamed).toContain(DEMO);
});

it("@anthropic-ai/sdk gets a message and a stream", async () => {
  const client = new Anthropic({ baseURL: network.baseUrl, apiKey: "any", maxRetries: 0 });
  const asked = {
    model: modelOf("chat"),
    max_tokens: 64,
    messages: [{ role: "user" as const, content: "Hello" }],
  };
  const message = await client.messages.create(asked);
  expect(message.content[0]).toMatchObject({ type: "text", text: expect.stringContaining(DEMO) });
  const streamed = await client.messages.stream(asked).finalText();
  expect(streamed).toContain(DEMO);
});
