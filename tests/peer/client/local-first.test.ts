import { expect, it, onTestFinished } from "vitest";
import { demoModel } from "#demo/engine/settings";
import { type DemoEngine, type DemoEngineOptions, startDemoEngine } from "#demo/engine/start";
import { CHAT, chatBody, clientNetwork, MODEL, startClient } from "./client-under-test";
import { openStream } from "./fake-node";

const OWN_ONLY = "own/model";

/** A client with an engine of its own and a node that has the same model. */
async function startWithEngine(settings: Partial<DemoEngineOptions> = {}) {
  const models = [demoModel(MODEL), demoModel(OWN_ONLY)];
  const engine: DemoEngine = startDemoEngine({ voice: "vllm", models, ...settings });
  onTestFinished(() => engine.close());
  const network = await clientNetwork();
  const node = await network.addNode();
  const client = await startClient(network, { engines: [engine.url] });
  const listed = async (): Promise<{ id: string; owned_by: string }[]> => {
    const { data } = (await (await client.get("/v1/models")).json()) as {
      data: { id: string; owned_by: string }[];
    };
    return data;
  };
  await expect.poll(async () => (await listed()).map(({ id }) => id)).toContain(OWN_ONLY);
  const nodeOf = async (answer: Response): Promise<string | null> => {
    await answer.text();
    return answer.headers.get("x-troop-node");
  };
  return { engine, network, node, client, listed, nodeOf };
}

it("uses this machine's own engine before any node, and asks the coordinator for no ticket", async () => {
  const { network, node, client, nodeOf } = await startWithEngine();
  const answer = await client.post();
  expect(answer.status).toBe(200);
  expect(await nodeOf(answer)).toBe("local");
  expect([network.authorized, node.seen.all]).toEqual([[], []]);
});

it("answers from its own engine while no coordinator can be reached, and lists its models", async () => {
  const { network, client, listed, nodeOf } = await startWithEngine();
  await network.coordinator[Symbol.asyncDispose]();
  expect(await nodeOf(await client.post())).toBe("local");
  const own = (await listed()).find(({ id }) => id === OWN_ONLY);
  expect(own).toMatchObject({ object: "model", owned_by: "local", created: 0 });
  const shown = await client.get(`/v1/models/${encodeURIComponent(OWN_ONLY)}`);
  expect(await shown.json()).toEqual(own);
});

it("passes nothing to its engine that says who the app's user is", async () => {
  const { engine, client } = await startWithEngine();
  await (await client.post({ headers: { authorization: "Bearer secret", cookie: "a=b" } })).text();
  const seen = engine.journal.entries().findLast(({ path }) => path === CHAT);
  expect(seen?.headers).toMatchObject({ "content-type": "application/json" });
  expect(JSON.stringify(seen?.headers)).not.toMatch(/secret|a=b/);
});

it("goes to a node while its own engine does what it can", async () => {
  const { engine, node, client, nodeOf } = await startWithEngine({
    voice: "llamacpp",
    router: true,
    slots: 1,
    tokensPerSecond: 5,
    tokensPerAnswer: 10_000,
  });
  const stopping = new AbortController();
  const body = chatBody({ stream: true, max_tokens: 10_000 });
  const first = await client.post({ body, signal: stopping.signal });
  expect(first.headers.get("x-troop-node")).toBe("local");
  expect(await nodeOf(await client.post())).toBe(node.id);
  stopping.abort();
  await expect.poll(() => engine.load().busy).toBe(0);
  engine.configure({ tokensPerSecond: 0 });
  expect(await nodeOf(await client.post())).toBe("local");
});

it.each([
  ["fails", (engine: DemoEngine) => engine.setFault({ kind: "error", status: 500 })],
  ["has its hands full", (engine: DemoEngine) => engine.setFault({ kind: "error", status: 429 })],
  ["breaks off in the middle", (engine: DemoEngine) => engine.setFault({ kind: "cut", after: 1 })],
  ["is gone", (engine: DemoEngine) => engine.close()],
] as const)(
  "goes to a node where its own engine %s, and the app sees one clean answer",
  async (_, make) => {
    const { engine, node, client, nodeOf } = await startWithEngine();
    await make(engine);
    const answer = await client.post();
    expect(answer.status).toBe(200);
    expect(await nodeOf(answer)).toBe(node.id);
  },
);

it("goes to its own engine again that broke off more often than it has places", async () => {
  const { engine, client, nodeOf } = await startWithEngine({
    voice: "llamacpp",
    router: true,
    slots: 1,
  });
  engine.setFault({ kind: "cut", after: 0 });
  for (let times = 0; times < 3; times++) await nodeOf(await client.post());
  engine.setFault(null);
  await expect.poll(async () => nodeOf(await client.post())).toBe("local");
});

it("gives the app its own engine's error where no node has the model", async () => {
  const { engine, client } = await startWithEngine();
  engine.setFault({ kind: "error", status: 500 });
  const answer = await client.post({ body: chatBody({ model: OWN_ONLY }) });
  expect(answer.status).toBe(500);
  expect(answer.headers.get("x-troop-node")).toBe("local");
  await answer.text();
});

it("gives the app its own engine's error where nodes do no better, and what a node says where one does", async () => {
  const { engine, node, client, nodeOf } = await startWithEngine();
  engine.setFault({ kind: "error", status: 500 });
  await node.stop();
  const answer = await client.post();
  expect(answer.status).toBe(500);
  expect(await nodeOf(answer)).toBe("local");
});

it("leaves its own engine when the app leaves", async () => {
  const { engine, client } = await startWithEngine({ tokensPerSecond: 2 });
  const leaving = new AbortController();
  const answer = await client.post({ body: chatBody({ stream: true }), signal: leaving.signal });
  expect(engine.load().busy).toBe(1);
  leaving.abort();
  await answer.text().catch(() => "left");
  await expect.poll(() => engine.load().busy).toBe(0);
});

it("uses no engine of its own unless it is told to", async () => {
  const engine = startDemoEngine({ voice: "vllm", models: [demoModel(MODEL)] });
  onTestFinished(() => engine.close());
  const network = await clientNetwork();
  const stream = openStream("application/json");
  const node = await network.addNode(() => stream.response);
  stream.write("{}");
  stream.end();
  const client = await startClient(network);
  const answer = await client.post();
  await answer.text();
  expect(answer.headers.get("x-troop-node")).toBe(node.id);
});

it("gives the app what its own engine says of a path that it does not know, where no node has the model", async () => {
  const { engine, client } = await startWithEngine();
  const direct = await fetch(`${engine.url}/v1/rerank`, {
    method: "POST",
    body: chatBody({ model: OWN_ONLY }),
  });
  const body = chatBody({ model: OWN_ONLY });
  const answer = await client.post({ target: "/v1/rerank", body });
  expect([answer.status, await answer.text()]).toEqual([404, await direct.text()]);
  expect(answer.headers.get("x-troop-node")).toBe("local");
});

it("goes to a node for what its own engine does not know", async () => {
  const { node, client, nodeOf } = await startWithEngine();
  const answer = await client.post({ target: "/v1/rerank" });
  expect(answer.status).toBe(200);
  expect(await nodeOf(answer)).toBe(node.id);
});
