import { expect, it, onTestFinished, vi } from "vitest";
import { demoModel } from "#demo/engine/settings";
import { startDemoEngine } from "#demo/engine/start";
import { chatBody, clientNetwork, MODEL, startClient, startWarm } from "./client-under-test";
import { openStream } from "./fake-node";
import { withoutLastWords } from "#support/last-words";

function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted !== false) resolve();
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
}

it("ends what runs when it is stopped, at the node and at the app, and frees its port", async () => {
  const { network, node, client } = await startWarm();
  const stream = openStream();
  node.answer = () => stream.response;
  stream.write("data: 1\n\n");
  const answer = await client.post();
  const left = node.seen.all.at(-1)?.left;

  await client.stop();
  await aborted(left);
  // A clean end would look like a whole answer.
  expect(await answer.text()).toMatch(/^data: 1\n\ndata: \{"error":.*\}\n\ndata: \[DONE\]\n\n$/);
  await expect(client.get("/health")).rejects.toThrow();
  const ack = await network.acks.until(({ seq }) => seq === node.seen.all.at(-1)?.seq);
  expect(ack.outcome).toBe("cancelled");
});

it("ends a stream of its own engine with an error when it is stopped, and leaves the engine", async () => {
  const engine = startDemoEngine({
    voice: "vllm",
    models: [demoModel(MODEL)],
    tokensPerSecond: 5,
    tokensPerAnswer: 10_000,
  });
  onTestFinished(() => engine.close());
  const client = await startClient(await clientNetwork(), { engines: [engine.url] });
  const offered = async () => (await client.get(`/v1/models/${MODEL}`)).status;
  await expect.poll(offered).toBe(200);
  const answer = await client.post({ body: chatBody({ stream: true, max_tokens: 10_000 }) });
  expect(answer.headers.get("x-troop-node")).toBe("local");
  await client.stop();
  const text = await answer.text();
  expect(text).toContain('"code":"stream_broken"');
  expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  await expect.poll(() => engine.load().busy).toBe(0);
});

it("breaks an answer that is no stream when it is stopped", async () => {
  const { node, client } = await startWarm();
  const half = openStream("audio/mpeg");
  node.answer = () => half.response;
  half.write('{"half":');
  const answer = await client.post();
  await client.stop();
  await expect(answer.text()).rejects.toThrow();
});

it("lets what runs end where it has time for it, and leaves its port to the next at once", async () => {
  const network = await clientNetwork();
  const node = await network.addNode();
  const client = await startClient(network, { drainMs: 60_000 });
  const stream = openStream();
  node.answer = () => stream.response;
  stream.write("data: 1\n\n");
  const answer = await client.post();

  const stopped = client.stop();
  const { port } = new URL(client.url);
  const serveNext = (): string => {
    const next = Bun.serve({ port, hostname: "127.0.0.1", fetch: () => new Response("next") });
    onTestFinished(() => next.stop(true));
    return "serves";
  };
  await vi.waitFor(serveNext, { timeout: 20_000 });
  expect(await (await client.get("/health")).text()).toBe("next");
  stream.write("data: [DONE]\n\n");
  stream.end();
  expect(withoutLastWords(await answer.text())).toBe("data: 1\n\ndata: [DONE]\n\n");
  await stopped;
  expect((await network.acks.until(() => true)).outcome).toBe("completed");
});

it("ends what waits for a node's first byte when it is stopped", async () => {
  const { node, client } = await startWarm();
  node.answer = () => new Promise<Response>(() => {});
  const before = node.seen.all.length;
  const posted = client.post().catch((error: unknown) => error);
  const { left } = await node.seen.until((request) => node.seen.all.indexOf(request) >= before);
  await client.stop();
  await aborted(left);
  expect(await posted).toBeInstanceOf(Error);
});

it("stops while requests wait for the coordinator", async () => {
  const network = await clientNetwork();
  await network.addNode();
  const asked = Promise.withResolvers<void>();
  network.coordinator.answers["POST /authorize"] = () => {
    asked.resolve();
    return new Promise<Response>(() => {});
  };
  const client = await startClient(network);
  const posted = client.post().catch((error: unknown) => error);
  await asked.promise;
  await client.stop();
  expect(await posted).toBeInstanceOf(Error);
});
