import { createHash } from "node:crypto";
import { connect } from "node:net";
import { expect, it } from "vitest";
import { VOICES, demoModel } from "#demo/engine/settings";
import { MOST_SEALED_BYTES } from "#peer/worker/serve/sealed-request";
import { SEALED_PATH } from "#protocol/sealed-message";
import { OpenAiError } from "#protocol/openai-error";
import { EMPTY_BODY_HASH } from "#protocol/proof";
import { MODEL } from "./fake-network";
import { CHAT, chatBody, engine, sealedPost, startWorker } from "./worker-under-test";

const BODIES: Readonly<Record<string, Record<string, unknown>>> = {
  [CHAT]: {},
  "/v1/completions": { messages: undefined, prompt: "Say something." },
  "/v1/responses": { messages: undefined, input: "Say something." },
  "/v1/messages?beta=true": { max_tokens: 20 },
  "/v1/embeddings": { messages: undefined, input: "Say something.", stream: undefined },
};

async function chunksOf(response: Response): Promise<string[]> {
  const chunks: string[] = [];
  for await (const chunk of response.body ?? []) chunks.push(Buffer.from(chunk).toString("latin1"));
  return chunks;
}

it.each(VOICES)("passes %s's answers of every API on unchanged, streamed or not", async (voice) => {
  const demo = engine({ voice, deterministic: true, models: [demoModel(MODEL)] });
  const worker = await startWorker({ engines: [demo.url] });
  for (const [target, more] of Object.entries(BODIES)) {
    for (const stream of [true, false]) {
      const body = chatBody({ stream, ...more });
      const headers = { "content-type": "application/json" };
      const direct = await fetch(demo.url + target, { method: "POST", body, headers });
      const carried = await worker.post({ target, body });
      expect(carried.status).toBe(direct.status);
      expect(carried.headers.get("content-type")).toBe(direct.headers.get("content-type"));
      expect((await chunksOf(carried)).join("")).toBe((await chunksOf(direct)).join(""));
    }
  }
});

it("passes a paced stream on piece by piece, as it comes", async () => {
  const demo = engine({ deterministic: true, tokensPerSecond: 200, tokensPerAnswer: 12 });
  const worker = await startWorker({ engines: [demo.url] });
  const init = { method: "POST", body: chatBody() };
  const direct = await chunksOf(
    await fetch(demo.url + CHAT, { ...init, headers: { "content-type": "application/json" } }),
  );
  const carried = await chunksOf(await worker.post());
  expect(carried.join("")).toBe(direct.join(""));
  expect(carried.length).toBeGreaterThan(5);
});

it("passes bytes on whatever they are: cut in the middle of characters, or packed", async () => {
  const demo = engine({ deterministic: true, tokensPerAnswer: 4 });
  const worker = await startWorker({ engines: [demo.url] });
  const whole = await (await worker.post()).text();
  const split = await worker.post({ headers: { "x-demo-fault": "split; bytes=3" } });
  expect(await split.text()).toBe(whole);

  const zipped = Bun.gzipSync(Buffer.from("x".repeat(5_000)));
  const packer = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ method }) =>
      method === "POST"
        ? new Response(zipped, { headers: { "content-encoding": "gzip" } })
        : Response.json({ object: "list", data: [{ id: MODEL, object: "model" }] }),
  });
  try {
    const other = await startWorker({ engines: [`http://127.0.0.1:${packer.port}`] });
    const answer = await other.post();
    expect(answer.headers.get("content-encoding")).toBe("gzip");
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(zipped);
  } finally {
    await packer.stop(true);
  }
});

it("gives the engine the request byte for byte, its query and its headers, but nobody's key or cookies", async () => {
  const demo = engine({ journal: { bodyBytesKept: 10_000 } });
  const worker = await startWorker({ engines: [demo.url] });
  const body = `{ "model":"${MODEL}", "é":"\\u00e9",  "messages":[{"role":"user","content":"x"}]}`;
  const target = "/v1/messages?beta=true&x=%20y";
  const answer = await worker.post({
    target,
    body,
    headers: {
      authorization: "Bearer secret",
      cookie: "a=b",
      "x-api-key": "secret",
      "anthropic-version": "2023-06-01",
      "user-agent": "sdk/1",
    },
  });
  await answer.text();
  const seen = await demo.journal.until(({ path }) => path === target);
  expect(Buffer.from(seen.body ?? []).toString()).toBe(body);
  expect(seen.headers).toMatchObject({
    host: new URL(demo.url).host,
    "anthropic-version": "2023-06-01",
    "user-agent": "sdk/1",
    "content-length": String(Buffer.byteLength(body)),
  });
  const names = Object.keys(seen.headers).filter((name) =>
    /^(?:authorization|cookie|x-api-key|troop-)/i.test(name),
  );
  expect(names).toEqual([]);
});

it("takes a request for none that writes a header's name in another case than it is looked for", async () => {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url] });
  const answer = await worker.post({ headers: { Authorization: "Bearer secret" } });
  expect(answer.status).toBe(400);
  expect(answer.headers.get("troop-refusal")).toBe("invalid_request");
  expect(demo.journal.entries().flatMap(({ model }) => model ?? [])).toEqual([]);
});

it("passes the engine's own errors on with their status", async () => {
  const demo = engine({ voice: "ollama", models: [demoModel(MODEL)] });
  const worker = await startWorker({ engines: [demo.url] });
  const answer = await worker.post({ headers: { "x-demo-fault": "error; status=429" } });
  expect(answer.status).toBe(429);
  expect(answer.headers.get("troop-refusal")).toBeNull();
  expect(OpenAiError.parse(await answer.json()).error.type).toBe("api_error");
});

it("makes the engine wait for a slow reader instead of keeping its answer", async () => {
  const demo = engine({ tokensPerAnswer: 2_000_000 });
  const worker = await startWorker({ engines: [demo.url] });
  const answer = await worker.post();
  const reader = (answer.body ?? expect.unreachable()).getReader();
  await reader.read();
  const entry = await demo.journal.until(({ path }) => path === CHAT);
  // What lies in the sockets' buffers has been made; the rest of some 500 MB has not.
  let tokens = -1;
  while (tokens !== entry.tokens) {
    ({ tokens } = entry);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  expect(tokens).toBeLessThan(200_000);
  await reader.cancel();
  expect((await demo.journal.until(({ outcome }) => outcome === "cancelled")).path).toBe(CHAT);
});

it("streams a large body to the engine and checks it on the way", async () => {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url] });
  const image = Buffer.alloc(6_000_000, "A").toString();
  const body = chatBody({ image });
  const answer = await worker.post({ body });
  expect(answer.status).toBe(200);
  await answer.text();
  const { bodySha256 } = await demo.journal.until(({ path }) => path === CHAT);
  expect(bodySha256).toBe(createHash("sha256").update(body).digest("hex"));
});

it.each([
  ["another hash than was said", 400, chatBody({ image: "A".repeat(400_000) }), EMPTY_BODY_HASH],
  [
    "another model than the ticket's",
    400,
    chatBody({ image: "A".repeat(400_000), model: "other" }),
    undefined,
  ],
  ["no end", 400, chatBody({ image: "A".repeat(400_000) }).slice(0, -1), undefined],
])(
  "never lets the engine have the whole of a large body with %s",
  async (_, status, body, bodyHash) => {
    const demo = engine();
    const worker = await startWorker({ engines: [demo.url] });
    const answer = await worker.post({ body, ...(bodyHash !== undefined && { bodyHash }) });
    expect(answer.status).toBe(status);
    OpenAiError.parse(await answer.json());
    await worker.stop();
    // What it may have got of a request broke off: it never knew for which model it was.
    expect(demo.journal.entries().flatMap(({ model }) => model ?? [])).toEqual([]);
    expect(worker.network.receipts.all).toEqual([]);
  },
);

it("refuses an oversized body in JSON, before it comes", async () => {
  const worker = await startWorker({ engines: [engine().url] });
  const { headers } = await sealedPost(worker, {}, 1);
  const { hostname, port } = new URL(worker.ready.url);
  const lines = Object.entries({ ...headers, host: "x", "content-length": MOST_SEALED_BYTES + 1 });
  const head = lines.map(([name, value]) => `${name}: ${value}`).join("\r\n");
  const text = await new Promise<string>((resolve) => {
    const socket = connect(Number(port), hostname, () => {
      socket.write(`POST ${SEALED_PATH} HTTP/1.1\r\n${head}\r\n\r\n{`);
    });
    socket.once("data", (data) => {
      socket.destroy();
      resolve(data.toString());
    });
  });
  expect(text).toMatch(/^HTTP\/1\.1 413 /);
  const { error } = OpenAiError.parse(JSON.parse(text.slice(text.indexOf("\r\n\r\n"))));
  expect(error.code).toBe("request_too_large");
});

it.each([
  ["JSON", {}],
  ["plain text", { response_format: "text" }],
  ["srt", { response_format: "srt" }],
  ["vtt", { response_format: "vtt" }],
  ["a stream without [DONE]", { stream: "true" }],
])("carries a form whose model comes behind the file, and its answer: %s", async (_, fields) => {
  const demo = engine({ voice: "vllm", deterministic: true, models: [demoModel(MODEL)] });
  const worker = await startWorker({ engines: [demo.url] });
  const form = new FormData();
  form.append("file", new File([new Uint8Array(300_000)], "a.wav"));
  for (const [name, value] of Object.entries({ model: MODEL, ...fields })) form.append(name, value);
  const packed = new Response(form);
  const type = packed.headers.get("content-type") ?? "";
  const body = new Uint8Array(await packed.arrayBuffer());
  const target = "/v1/audio/transcriptions";
  const headers = { "content-type": type };
  const direct = await fetch(demo.url + target, { method: "POST", body, headers });
  const answer = await worker.post({ target, body, headers });
  expect([answer.status, await answer.text()]).toEqual([200, await direct.text()]);
  expect(answer.headers.get("content-type")).toBe(direct.headers.get("content-type"));
  expect((await worker.network.receipts.until(() => true)).outcome).toBe("completed");
});
