import { createServer } from "node:http";
import { expect, it, onTestFinished } from "vitest";
import { demoModel, VOICES } from "#demo/engine/settings";
import { OpenAiError } from "#protocol/openai-error";
import { MODEL } from "./fake-network";
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

const CUTS = STREAMS.flatMap(([target, more, end]) =>
  VOICES.map((voice) => [voice, target, more, end] as const),
);

it.each(CUTS)(
  "a connection to %s that is cut in %s ends in an error, once",
  async (voice, target, more, end) => {
    const demo = engine({ voice, models: [demoModel(MODEL)] });
    const worker = await startWorker({ engines: [demo.url] });
    const answer = await worker.post({
      target,
      body: chatBody(more),
      headers: { "x-demo-fault": "cut; after=3" },
    });
    expect(answer.status).toBe(200);
    const text = await answer.text();
    expect(text).toMatch(end);
    expect(text.match(/stream_broken|api_error/g)).toHaveLength(1);
    expect(await worker.network.receipts.until(() => true)).toMatchObject({
      outcome: "engine_error",
    });
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
      const receipt = await worker.network.receipts.until(
        ({ seq }) => seq === 1 + STREAMS.findIndex(([each]) => each === target),
      );
      expect(receipt.outcome, target).toBe("engine_error");
    }
  },
);

it("breaks the connection where an answer cannot say that it is not whole", async () => {
  const half = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: ({ method }) =>
      method === "POST"
        ? new Response(
            new ReadableStream({
              async pull(controller) {
                controller.enqueue(Buffer.from('{"choices":['));
                await Bun.sleep(20);
                controller.error(null);
              },
            }),
            { headers: { "content-type": "application/json" } },
          )
        : Response.json({ object: "list", data: [{ id: MODEL, object: "model" }] }),
  });
  onTestFinished(() => half.stop(true));
  const worker = await startWorker({ engines: [`http://127.0.0.1:${half.port}`] });
  const answer = await worker.post({ body: chatBody({ stream: false }) });
  expect(answer.status).toBe(200);
  await expect(answer.text()).rejects.toThrow();
  const receipt = await worker.network.receipts.until(() => true);
  expect(receipt.outcome).toBe("engine_error");
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
  let requests = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    request.on("end", () => {
      if (request.method !== "POST") {
        response.end(JSON.stringify({ object: "list", data: [{ id: MODEL, object: "model" }] }));
        return;
      }
      // Every second request on a connection finds it closed.
      const socket = request.socket as typeof request.socket & { isUsed?: boolean };
      if (socket.isUsed === true) {
        socket.destroy();
        return;
      }
      socket.isUsed = true;
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as { port: number };
  const worker = await startWorker({ engines: [`http://127.0.0.1:${port}`] });
  const before = requests;
  for (const status of [200, 200, 200]) {
    const answer = await worker.post({ body: chatBody({ stream: false }) });
    expect([answer.status, await answer.text()]).toEqual([status, "{}"]);
  }
  expect(requests - before).toBeGreaterThan(3);
});
