import { describe, expect, it } from "vitest";
import { demoModel } from "#demo/engine/settings";
import type { VoiceName } from "#demo/engine/settings";
import { chunksOf, dataOf, HELLO, post, running } from "./running-engine";

const CHAT = "/v1/chat/completions";

describe("unknown paths", () => {
  it("are status 200 with an error on LM Studio, whichever path it is", async () => {
    const engine = running({ voice: "lmstudio" });
    for (const path of ["/api/tags", "/health", "/version", "/v1/models/x"]) {
      const answer = await fetch(engine.url + path);
      expect(answer.status).toBe(200);
      expect(await answer.json()).toEqual({
        error: `Unexpected endpoint or method. (GET ${path})`,
      });
    }
  });

  it.each([
    ["ollama", "404 page not found"],
    ["vllm", '{"detail":"Not Found"}'],
    ["llamacpp", '{"error":{"code":404,"message":"File Not Found","type":"not_found_error"}}'],
  ] as const)("are status 404 on %s", async (voice, body) => {
    const answer = await fetch(`${running({ voice }).url}/nothing/here`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe(body);
  });

  it.each([
    ["ollama", 405],
    ["vllm", 405],
    ["llamacpp", 404],
    ["lmstudio", 200],
  ] as const)("with the wrong method are status %s", async (voice, status) => {
    const answer = await fetch(running({ voice }).url + CHAT);
    expect(answer.status).toBe(status);
  });
});

describe("an unknown model", () => {
  const ask = { model: "no/such:model", messages: HELLO };

  it.each([
    ["ollama", 404, { error: { type: "not_found_error", param: null, code: null } }],
    ["vllm", 404, { error: { type: "NotFoundError", param: "model", code: 404 } }],
    ["plain", 404, { error: { code: "model_not_found" } }],
  ] as const)("is refused by %s in its own words", async (voice, status, error) => {
    const answer = await post(running({ voice }), CHAT, ask);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject(error);
  });

  it("is answered by llama.cpp, under the name of the model that it has", async () => {
    const engine = running({ voice: "llamacpp" });
    const only = engine.models()[0]?.id;
    expect(await (await post(engine, CHAT, ask)).json()).toMatchObject({ model: only });
  });

  it("is status 400 in llama.cpp's router mode", async () => {
    const answer = await post(running({ voice: "llamacpp", router: true }), CHAT, ask);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: 400 } });
  });

  it("is answered by LM Studio with the one model that is loaded, and refused with two", async () => {
    const engine = running({ voice: "lmstudio" });
    const only = engine.models()[0]?.id;
    expect(await (await post(engine, CHAT, ask)).json()).toMatchObject({ model: only });
    engine.setModels([demoModel("a"), demoModel("b")]);
    expect((await post(engine, CHAT, ask)).status).toBe(404);
  });
});

describe("a stream that fails midway", () => {
  const failing = { "x-demo-fault": "error-midway; after=2" };
  const dataAfterText = async (voice: VoiceName): Promise<string> => {
    const engine = running({ voice });
    const answer = await post(
      engine,
      CHAT,
      { messages: HELLO, stream: true },
      { headers: failing },
    );
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toContain('" is"');
    expect(text).not.toContain('" Monkey"');
    expect(engine.journal.entries().at(-1)).toMatchObject({ outcome: "broken", tokens: 2 });
    return text.slice(text.indexOf("\n\n", text.indexOf('" is"')) + 2);
  };

  it("ends on Ollama with nothing to tell it by: no error, finish reason or [DONE]", async () => {
    const rest = await dataAfterText("ollama");
    const [chunk, ...more] = dataOf(rest).map((json) => JSON.parse(json) as unknown);
    expect(chunk).toMatchObject({ choices: [{ delta: { content: "" }, finish_reason: null }] });
    expect(more).toEqual([]);
  });

  it("ends on vLLM with the error and [DONE]", async () => {
    const [error, done] = dataOf(await dataAfterText("vllm"));
    expect(JSON.parse(error ?? "")).toMatchObject({ error: { code: 500 } });
    expect(done).toBe("[DONE]");
  });

  it("ends on llama.cpp with the error and without [DONE]", async () => {
    const [error, ...more] = dataOf(await dataAfterText("llamacpp"));
    expect(JSON.parse(error ?? "")).toMatchObject({ error: { code: 500, type: "server_error" } });
    expect(more).toEqual([]);
  });

  it("ends on LM Studio with an error event", async () => {
    expect(await dataAfterText("lmstudio")).toMatch(/^event: error\ndata: \{"error":\{.*\}\}\n\n$/);
  });
});

describe("an error before the first token", () => {
  const failing = { "x-demo-fault": "error; status=503" };

  it.each(["ollama", "vllm", "llamacpp", "plain"] as const)(
    "has its status on %s",
    async (voice) => {
      const ask = { messages: HELLO, stream: true };
      const answer = await post(running({ voice }), CHAT, ask, { headers: failing });
      expect(answer.status).toBe(503);
      expect(await answer.json()).toHaveProperty("error");
    },
  );

  it("arrives under status 200 in a stream of LM Studio, and with its status otherwise", async () => {
    const engine = running({ voice: "lmstudio" });
    const streamed = await post(
      engine,
      CHAT,
      { messages: HELLO, stream: true },
      { headers: failing },
    );
    expect(streamed.status).toBe(200);
    expect(await streamed.text()).toMatch(/^event: error\n/);
    expect((await post(engine, CHAT, { messages: HELLO }, { headers: failing })).status).toBe(503);
  });
});

describe("Ollama", () => {
  it("says null where it has no models", async () => {
    const { url } = running({ voice: "ollama", models: [] });
    expect(await (await fetch(`${url}/v1/models`)).json()).toEqual({ object: "list", data: null });
  });

  it("refuses names and pages that are not this machine's, without a body", async () => {
    const { url } = running({ voice: "ollama" });
    const statusWith = async (headers: Record<string, string>): Promise<number> => {
      const answer = await fetch(`${url}/api/tags`, { headers });
      if (answer.status === 403) expect(await answer.text()).toBe("");
      return answer.status;
    };
    expect(await statusWith({ host: "rebound.example.com" })).toBe(403);
    expect(await statusWith({ origin: "https://example.com" })).toBe(403);
    expect(await statusWith({ host: "gpu.local:11434" })).toBe(200);
    expect(await statusWith({ origin: "http://localhost:3000" })).toBe(200);
  });

  it("does not find one model whose id has a slash, raw or encoded", async () => {
    const engine = running({ voice: "ollama", models: [demoModel("org/m:1b"), demoModel("m:1b")] });
    expect((await fetch(`${engine.url}/v1/models/org/m:1b`)).status).toBe(404);
    expect((await fetch(`${engine.url}/v1/models/org%2Fm:1b`)).status).toBe(404);
    expect((await fetch(`${engine.url}/v1/models/m:1b`)).status).toBe(200);
  });

  it("carries a zeroed usage in each chunk of a text completion that asked for usage", async () => {
    const ask = {
      prompt: "x",
      stream: true,
      max_tokens: 2,
      stream_options: { include_usage: true },
    };
    const answer = await post(running({ voice: "ollama" }), "/v1/completions", ask);
    const totals = chunksOf(await answer.text()).map(({ usage }) => usage?.total_tokens);
    expect(totals).toEqual([0, 0, 0, 3]);
  });

  it("decodes zstd for responses, and nowhere else", async () => {
    const engine = running({ voice: "ollama" });
    const packed = Bun.zstdCompressSync(JSON.stringify({ model: "demo-llama:1b", input: "x" }));
    const body = new Uint8Array(packed);
    const headers = { "content-type": "application/json", "content-encoding": "zstd" };
    const statusOf = async (path: string): Promise<number> =>
      (await fetch(engine.url + path, { method: "POST", headers, body })).status;
    expect(await statusOf("/v1/responses")).toBe(200);
    expect(await statusOf(CHAT)).toBe(400);
  });
});

describe("vLLM", () => {
  it("reads empty stream options as a wish for usage", async () => {
    const ask = { messages: HELLO, stream: true, stream_options: {} };
    const chunks = chunksOf(await (await post(running({ voice: "vllm" }), CHAT, ask)).text());
    expect(chunks.at(-1)?.usage?.total_tokens).toBeGreaterThan(0);
  });

  it("lets the finish reason ride the last text", async () => {
    const ask = { messages: HELLO, stream: true, max_tokens: 2 };
    const chunks = chunksOf(await (await post(running({ voice: "vllm" }), CHAT, ask)).text());
    expect(chunks.at(-1)?.choices[0]).toMatchObject({
      delta: { content: " is" },
      finish_reason: "length",
    });
  });

  it("refuses a missing key with an error that is a string, and leaves health open", async () => {
    const engine = running({ voice: "vllm", apiKey: "k" });
    const refused = await post(engine, CHAT, { messages: HELLO });
    expect(refused.status).toBe(401);
    expect(await refused.json()).toEqual({ error: "Unauthorized" });
    expect((await fetch(`${engine.url}/health`)).status).toBe(200);
    const headers = { authorization: "Bearer k" };
    expect((await post(engine, CHAT, { messages: HELLO }, { headers })).status).toBe(200);
  });

  it("tells no length for a LoRA adapter", async () => {
    const models = [demoModel("base"), demoModel("base-lora", { lora: true })];
    const { url } = running({ voice: "vllm", models });
    expect(await (await fetch(`${url}/v1/models`)).json()).toMatchObject({
      data: [{ max_model_len: 32_768 }, { max_model_len: null }],
    });
  });
});

describe("llama.cpp", () => {
  it("is status 500 for a body that is no JSON", async () => {
    const engine = running({ voice: "llamacpp" });
    const answer = await fetch(engine.url + CHAT, { method: "POST", body: "{" });
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({ error: { code: 500, type: "server_error" } });
  });

  it("says how long the prompt was and how long it may be", async () => {
    const engine = running({ voice: "llamacpp", models: [demoModel("m", { contextLength: 8 })] });
    const ask = { messages: [{ role: "user", content: "x".repeat(64) }] };
    const answer = await post(engine, CHAT, ask);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { type: "exceed_context_size_error", n_prompt_tokens: 16, n_ctx: 8 },
    });
  });

  it("is there while it loads, and says so with status 503", async () => {
    const engine = running({ voice: "llamacpp", health: "loading" });
    const answer = await fetch(`${engine.url}/health`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ error: { code: 503, message: "Loading model" } });
    expect((await post(engine, CHAT, { messages: HELLO })).status).toBe(503);
  });

  it("puts the usage into the last chunk of a text completion unasked", async () => {
    const ask = { prompt: "x", stream: true, max_tokens: 2 };
    const answer = await post(running({ voice: "llamacpp" }), "/v1/completions", ask);
    const usages = chunksOf(await answer.text()).map(({ usage }) => usage?.completion_tokens);
    expect(usages).toEqual([undefined, undefined, 2]);
  });

  it("loads a router's model with the first request for it", async () => {
    const models = [demoModel("a", { loaded: false }), demoModel("b", { loaded: false })];
    const engine = running({ voice: "llamacpp", models, loadMs: 5 });
    await post(engine, CHAT, { model: "b", messages: HELLO });
    expect(await (await fetch(`${engine.url}/v1/models`)).json()).toMatchObject({
      data: [{ status: { value: "unloaded" } }, { status: { value: "loaded" } }],
    });
  });

  it("dribbles tool arguments where Ollama sends them whole", async () => {
    const tools = [
      {
        type: "function",
        function: { name: "f", parameters: { properties: { a: { type: "string" } } } },
      },
    ];
    const ask = { messages: HELLO, tools, tool_choice: "required", stream: true };
    const deltasOf = async (voice: VoiceName): Promise<number> => {
      const chunks = chunksOf(await (await post(running({ voice }), CHAT, ask)).text());
      return chunks.flatMap(({ choices }) => choices[0]?.delta?.tool_calls ?? []).length;
    };
    expect(await deltasOf("ollama")).toBe(1);
    expect(await deltasOf("llamacpp")).toBeGreaterThan(4);
  });
});
