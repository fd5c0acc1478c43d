import { expect, it } from "vitest";
import { demoModel, VOICES } from "#demo/engine/settings";
import { OpenAiError } from "#protocol/openai-error";
import { MODEL } from "./fake-network";
import { scriptedEngine } from "./scripted-engine";
import { CHAT, chatBody, engine, startWorker } from "./worker-under-test";

const STREAMS: readonly (readonly [target: string, more: Record<string, unknown>, end: RegExp])[] =
  [
    [
      CHAT,
      {},
      /\n\ndata: \{"error":\{"message":"[^"]+","type":"server_error","param":null,"code":"stream_broken"\}\}\n\ndata: \[DONE\]\n\n$/,
    ],
    [
      "/v1/completions",
      { messages: undefined, prompt: "x" },
      /"code":"stream_broken"\}\}\n\ndata: \[DONE\]\n\n$/,
    ],
    [
      "/v1/responses",
      { messages: undefined, input: "x" },
      /\n\nevent: response\.failed\ndata: \{"type":"response\.failed".*"code":"stream_broken".*\n\n$/,
    ],
    [
      "/v1/messages",
      { max_tokens: 40 },
      /\n\nevent: error\ndata: \{"type":"error","error":\{"type":"api_error".*\n\n$/,
    ],
  ];

const ERROR = /^(?:event: (?:error|response\.failed)|data: \{"error")/;

it.each(VOICES)(
  "a connection to %s that is cut ends in an error of each API, once",
  async (voice) => {
    const demo = engine({ voice, models: [demoModel(MODEL)] });
    const worker = await startWorker({ engines: [demo.url] });
    for (const [target, more, end] of STREAMS) {
      const answer = await worker.post({
        target,
        body: chatBody(more),
        headers: { "x-demo-fault": "cut; after=3" },
      });
      expect(answer.status).toBe(200);
      const text = await answer.text();
      expect(text).toMatch(end);
      expect(text.match(/stream_broken|api_error/g)).toHaveLength(1);
    }
    await worker.stop();
    expect(worker.network.receipts.all.map(({ outcome }) => outcome)).toEqual(
      STREAMS.map(() => "engine_error"),
    );
  },
);

it.each(VOICES)(
  "a stream that %s itself ends as failed says so to the client, once",
  async (voice) => {
    const demo = engine({ voice, models: [demoModel(MODEL)] });
    const worker = await startWorker({ engines: [demo.url] });
    for (const [target, more] of STREAMS) {
      const answer = await worker.post({
        target,
        body: chatBody(more),
        headers: { "x-demo-fault": "error-midway; after=3" },
      });
      const text = await answer.text();
      const errors = text.split("\n\n").filter((event) => ERROR.test(event));
      expect(errors, target).toHaveLength(1);
    }
    await worker.stop();
    expect(worker.network.receipts.all.map(({ outcome }) => outcome)).toEqual(
      STREAMS.map(() => "engine_error"),
    );
  },
);

it("breaks the connection where an answer cannot say that it is not whole", async () => {
  const url = await scriptedEngine((response) => {
    response.writeHead(200, { "content-type": "application/json", "content-length": 100 });
    response.write('{"choices":[', () => response.destroy());
  });
  const worker = await startWorker({ engines: [url] });
  // Even its head may be lost.
  const read = async () => (await worker.post({ body: chatBody({ stream: false }) })).text();
  await expect(read()).rejects.toThrow();
  const receipt = await worker.network.receipts.until(() => true);
  expect(receipt.outcome).toBe("engine_error");
});

it("waits for a slow reader also when the engine has closed the connection", async () => {
  const url = await scriptedEngine((response) => {
    response.writeHead(200, { "content-type": "application/json", connection: "close" });
    response.end("x".repeat(8_000_000));
  });
  const worker = await startWorker({ engines: [url] });
  const reader = ((await worker.post()).body ?? expect.unreachable()).getReader();
  let bytes = 0;
  for (let read = await reader.read(); read.value !== undefined; read = await reader.read()) {
    bytes += read.value.length;
    await new Promise((resolve) => void setImmediate(resolve));
  }
  expect(bytes).toBe(8_000_000);
  expect((await worker.network.receipts.until(() => true)).outcome).toBe("completed");
});

it("takes a status that is none, and an answer that is no HTTP, for a broken engine", async () => {
  for (const text of ["HTTP/1.1 999 Odd\r\ncontent-length: 0\r\n\r\n", "not HTTP\r\n\r\n"]) {
    const url = await scriptedEngine((response) => response.socket?.end(text));
    const worker = await startWorker({ engines: [url] });
    const answer = await worker.post();
    expect(answer.status).toBe(502);
    expect(OpenAiError.parse(await answer.json()).error.code).toBe("engine_error");
    expect((await worker.network.receipts.until(() => true)).outcome).toBe("engine_error");
  }
});

it("passes on an answer without a body", async () => {
  const url = await scriptedEngine((response) => response.writeHead(204, { "x-a": "1" }).end());
  const worker = await startWorker({ engines: [url] });
  const answer = await worker.post();
  expect([answer.status, answer.headers.get("x-a"), await answer.text()]).toEqual([204, "1", ""]);
});

it("an engine that went away is said so at once, and its models are withdrawn at once", async () => {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url] });
  await demo.close();
  const answer = await worker.post();
  expect(answer.status).toBe(502);
  expect(OpenAiError.parse(await answer.json()).error.code).toBe("engine_unreachable");
  const heartbeat = await worker.network.heartbeats.until(({ withdrawn }) => withdrawn.length > 0);
  expect(heartbeat).toMatchObject({ models: [], withdrawn: [MODEL] });
  await worker.said.until((line) => line === `No longer offered: ${MODEL}`);
  expect((await worker.post()).status).toBe(404);
  await worker.stop();
  expect(worker.network.receipts.all).toEqual([]);
});

it("an engine that breaks off before its answer is said so, and told in a receipt", async () => {
  const demo = engine();
  const worker = await startWorker({ engines: [demo.url] });
  const answer = await worker.post({
    body: chatBody({ stream: false }),
    headers: { "x-demo-fault": "cut; after=0" },
  });
  const isCut =
    answer.status === 502
      ? true
      : await answer.text().then(
          () => false,
          () => true,
        );
  expect(isCut).toBe(true);
  expect((await worker.network.receipts.until(() => true)).outcome).toBe("engine_error");
});

it("uses a fresh connection where the engine closed an idle one", async () => {
  const used = new Set<unknown>();
  let requests = 0;
  const url = await scriptedEngine((response) => {
    requests += 1;
    // Every second request on a connection finds it closed.
    if (used.has(response.socket)) {
      response.destroy();
      return;
    }
    used.add(response.socket);
    response.end("{}");
  });
  const worker = await startWorker({ engines: [url] });
  for (let each = 0; each < 3; each++) {
    const answer = await worker.post({ body: chatBody({ stream: false }) });
    expect([answer.status, await answer.text()]).toEqual([200, "{}"]);
  }
  expect(requests).toBeGreaterThan(3);
});
