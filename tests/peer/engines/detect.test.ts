import { createServer } from "node:net";
import { gzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import { type VoiceName, VOICES } from "#demo/engine/settings";
import { startDemoEngine } from "#demo/engine/start";
import { detectEngine, detectEngines } from "#peer/engines/detect";
import { readHealth, readModels } from "#peer/engines/read-models";
import { candidateOf, detect, detected, serving } from "./fixture-server";
import {
  LLAMACPP,
  LLAMACPP_LOADING,
  LLAMACPP_ROUTER,
  LMSTUDIO,
  LMSTUDIO_0_3,
  LMSTUDIO_MODELS,
  OLLAMA,
  OPENAI,
  unexpected,
  VLLM,
} from "./recorded";

const KINDS = {
  ollama: "ollama",
  vllm: "vllm",
  lmstudio: "lmstudio",
  llamacpp: "llamacpp",
  plain: "openai",
};

const LLAMACPP_WITH_VERSION = { ...LLAMACPP, "/api/version": { version: "b6710" } };

describe("told apart by shape", () => {
  it.each([
    ["Ollama", OLLAMA, "ollama"],
    ["vLLM", VLLM, "vllm"],
    ["llama.cpp", LLAMACPP, "llamacpp"],
    ["llama.cpp, were it to tell a version as Ollama does", LLAMACPP_WITH_VERSION, "llamacpp"],
    ["llama.cpp as a router", LLAMACPP_ROUTER, "llamacpp"],
    ["llama.cpp while it loads", LLAMACPP_LOADING, "llamacpp"],
    ["any other server", OPENAI, "openai"],
  ] as const)("%s is what it is", async (_name, recording, kind) => {
    expect((await detected(serving(recording).url)).kind).toBe(kind);
  });

  it.each([
    ["0.4", LMSTUDIO],
    ["0.3.6", LMSTUDIO_0_3],
    ["older", { "/v1/models": LMSTUDIO_MODELS }],
    [
      "without models",
      { "/v1/models": { object: "list", data: [] }, "/api/v1/models": { models: [] } },
    ],
  ])(
    "LM Studio %s is not taken for another engine, though it answers 200 to all probes",
    async (_v, recording) => {
      expect((await detected(serving(recording, unexpected).url)).kind).toBe("lmstudio");
    },
  );

  it.each(VOICES)(
    "the demo engine passes for %s, and is healthy and offers its models",
    async (voice) => {
      const demo = startDemoEngine({ voice });
      onTestFinished(() => demo.close());
      const engine = await detected(demo.url);
      expect(engine.kind).toBe(KINDS[voice satisfies VoiceName]);
      expect(await readHealth(engine)).toBe("ok");
      const models = await readModels(engine, new Map());
      expect(models.ok && models.value.map(({ id }) => id)).toEqual(
        demo.models().map(({ id }) => id),
      );
    },
  );

  it("a server of another make with a context length is not vLLM", async () => {
    const data = [{ id: "m", owned_by: "sglang", max_model_len: 4_096 }];
    const { url } = serving({ "/v1/models": { object: "list", data } });
    expect((await detected(url)).kind).toBe("openai");
  });
});

describe("no engine", () => {
  const html = () =>
    new Response("<!doctype html><title>hi</title>", { headers: { "content-type": "text/html" } });

  it.each([
    ["a web server that answers 200 with a page to everything", html],
    ["a server that answers 200 with {} to everything", () => Response.json({})],
    ["a server that answers 200 with null to everything", () => Response.json(null)],
    ["a server that answers 200 with a list to everything", () => Response.json([])],
    ["a server that answers 200 with nothing to everything", () => new Response(null)],
    ["a server that says {status: ok} to everything", () => Response.json({ status: "ok" })],
    ["a server that says {version} to everything", () => Response.json({ version: "1.0" })],
    ["a server that says 404 to everything", () => new Response("no", { status: 404 })],
    ["a server that says 500 to everything", () => Response.json({ error: {} }, { status: 500 })],
    [
      "a server that lists other things",
      () => Response.json({ object: "list", data: [{ name: "x" }] }),
    ],
    ["a server of empty data", () => Response.json({ data: [] })],
  ])("is %s", async (_what, answer) => {
    const detection = await detect(serving({}, answer).url);
    expect(detection).toMatchObject({
      reason: "unknown",
      message: expect.stringMatching(/answers, but not like an engine we know$/),
    });
  });

  it("is where nothing listens", async () => {
    const { port } = startAndStop();
    const detection = await detect(`127.0.0.1:${port}`);
    expect(detection).toMatchObject({
      reason: "unreachable",
      message: `nothing listens at http://127.0.0.1:${port}`,
    });
  });

  it("is a redirect, which is not followed", async () => {
    const engine = serving(OLLAMA);
    const { url } = serving({}, ({ url: asked }) =>
      Response.redirect(engine.url + new URL(asked).pathname, 307),
    );
    expect(await detect(url)).toMatchObject({ reason: "redirect" });
    expect(engine.asked).toEqual([]);
  });

  it("is an answer longer than any engine's, whether it says so or not", async () => {
    const huge = `{"object":"list","data":[${'{"id":"m"},'.repeat(500_000)}{"id":"m"}]}`;
    const unsaid = () => new Response(new Blob([huge]).stream());
    expect(await detect(serving({}, () => new Response(huge)).url)).toMatchObject({
      reason: "too_large",
    });
    expect(await detect(serving({}, unsaid).url)).toMatchObject({ reason: "too_large" });
  });

  it("is an answer that grows to that when it is unpacked", async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 32));
    const headers = { "content-encoding": "gzip", "content-type": "application/json" };
    const detection = await detect(serving({}, () => new Response(bomb, { headers })).url);
    expect(detection).toMatchObject({ reason: "too_large" });
  });

  it("is a server that accepts and says nothing, for no longer than the time limit", async () => {
    const { url } = serving({}, () => new Response(new ReadableStream({ start() {} })));
    expect(await detect(url, 150)).toMatchObject({ reason: "timeout" });
  });

  it("is a server that sends its answer a byte at a time, for no longer than the time limit", async () => {
    const drip = () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await Bun.sleep(20);
            controller.enqueue(new TextEncoder().encode(" "));
          },
        }),
      );
    expect(await detect(serving({}, drip).url, 150)).toMatchObject({ reason: "timeout" });
  });

  it("is something that does not speak HTTP", async () => {
    const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9.9\r\n"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    expect(await detect(`127.0.0.1:${port}`)).toMatchObject({ reason: "broken" });
  });

  it("is an engine that wants a key it did not get; with the key it is one", async () => {
    const demo = startDemoEngine({ voice: "vllm", apiKey: "sesame" });
    onTestFinished(() => demo.close());
    const detection = await detect(demo.url);
    expect(detection).toMatchObject({
      reason: "unauthorized",
      message: expect.stringContaining("ENGINE_API_KEY"),
    });
    expect(await detectEngine(candidateOf(demo.url, "sesame"))).toMatchObject({ kind: "vllm" });
  });
});

it("sends no Origin and the engine's own Host, so that Ollama lets it in", async () => {
  const demo = startDemoEngine({ voice: "ollama" });
  onTestFinished(() => demo.close());
  await detected(demo.url);
  const headers = demo.journal.entries().map((entry) => entry.headers);
  expect(headers.filter((each) => "origin" in each || "cookie" in each)).toEqual([]);
  expect(new Set(headers.map((each) => each["host"]))).toEqual(new Set([`127.0.0.1:${demo.port}`]));
});

it("takes a URL with or without /v1, and an API that lives at a path of its own", async () => {
  const { url } = serving({ "/proxy/llm/v1/models": OPENAI["/v1/models"] ?? {} });
  expect(await detect(`${url}/proxy/llm`)).toMatchObject({
    target: { apiBaseUrl: `${url}/proxy/llm/v1` },
  });
  expect(await detect(`${url}/proxy/llm/v1/`)).toMatchObject({
    target: { apiBaseUrl: `${url}/proxy/llm/v1` },
  });
  const odd = serving({ "/api/paas/v4/models": OPENAI["/v1/models"] ?? {} });
  expect(await detect(`${odd.url}/api/paas/v4`)).toMatchObject({
    kind: "openai",
    target: { apiBaseUrl: `${odd.url}/api/paas/v4` },
  });
});

it("asks all candidates at once", async () => {
  // Each answers only when the other has been asked too: one after the other, both would time out.
  const bothAsked = Promise.withResolvers<undefined>();
  let asked = 0;
  const listing = async (): Promise<Response> => {
    asked += 1;
    if (asked === 2) bothAsked.resolve(undefined);
    await bothAsked.promise;
    return Response.json(OPENAI["/v1/models"]);
  };
  const urls = [serving({ "/v1/models": listing }).url, serving({ "/v1/models": listing }).url];
  const { found, missing } = await detectEngines(urls.map((url) => candidateOf(url)));
  expect(found.map(({ kind }) => kind)).toEqual(["openai", "openai"]);
  expect(missing).toEqual([]);
});

/** A port that was free a moment ago. */
function startAndStop(): { port: number } {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const { port } = server;
  void server.stop(true);
  return { port: port ?? 0 };
}
