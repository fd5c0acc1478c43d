import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { readOutbox } from "#peer/outbox/outbox-summary";
import { startNetwork, startTroop, type TestNetwork, type Troop } from "#support/network";
import { troopBinary } from "#support/troop-binary";
import { textOfStream } from "#support/last-words";

const APPS = 6;
/** Requests that are answered before and after each replacement. */
const ENOUGH = 12;
const Nodes = z.object({ nodes: z.array(z.object({ node_id: z.string() })) });

let engine: DemoEngine;
let network: TestNetwork;

beforeAll(async () => {
  engine = startDemoEngine({ voice: "vllm", tokensPerSecond: 100, tokensPerAnswer: 20 });
  network = await startNetwork({ engineUrl: engine.url });
});

afterAll(async () => {
  await network.stop();
  await engine.close();
});

async function startWorker(name: string): Promise<Troop> {
  const home = join(network.worker.home, "..", name);
  const args = ["worker", "--policy", "always", "--listen", "127.0.0.1:0", "--engine", engine.url];
  return startTroop(await troopBinary(), home, [...args, "--coordinator", network.coordinator.url]);
}

async function nodeIds(): Promise<string[]> {
  const { nodes } = Nodes.parse(await network.run(network.client.home, ["nodes"]));
  return nodes.map(({ node_id }) => node_id);
}

/** Asks without a pause, by turns for a stream and for a whole answer, until it is told to stop. */
function traffic() {
  const model = engine.models()[0]?.id;
  const bad: string[] = [];
  let answered = 0;
  const over = new AbortController();
  async function app(): Promise<void> {
    for (let turn = 0; !over.signal.aborted; turn += 1) {
      const stream = turn % 2 === 0;
      const answer = await fetch(`${network.baseUrl}/v1/chat/completions`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model, stream, messages: [{ role: "user", content: "Hi" }] }),
      });
      const text = await answer.text();
      const isWhole = stream
        ? textOfStream(text).endsWith("data: [DONE]\n\n")
        : text.includes('"choices"');
      if (answer.ok && isWhole) answered += 1;
      else bad.push(`${answer.status} ${text.slice(-300)}`);
    }
  }
  const apps = Array.from({ length: APPS }, app);
  return {
    bad,
    async more(count: number): Promise<void> {
      const goal = answered + count;
      await expect.poll(() => answered >= goal || bad.length > 0, { timeout: 60_000 }).toBe(true);
    },
    async end(): Promise<void> {
      over.abort();
      await Promise.all(apps);
    },
  };
}

it("a worker is replaced by another under traffic, twice, and no request is lost", async () => {
  const load = traffic();
  await load.more(ENOUGH);
  let old = network.worker;
  for (const name of ["second", "third"]) {
    const next = await startWorker(name);
    const before = await nodeIds();
    expect(before).toHaveLength(2);
    old.process.kill("SIGTERM");
    // Long before it would be taken for dead, and while its requests may still run.
    await expect.poll(async () => (await nodeIds()).length, { timeout: 20_000 }).toBe(1);
    expect(await old.process.exited).toBe(0);
    expect(readOutbox(old.home, "worker")).toMatchObject({ waiting: 0, unfinished: 0 });
    await load.more(ENOUGH);
    old = next;
  }
  await load.end();
  expect(load.bad).toEqual([]);
  old.process.kill("SIGTERM");
  await old.process.exited;
});

it("a stopping worker goes on with what runs, until a second signal", async () => {
  const worker = await startWorker("fourth");
  engine.configure({ tokensPerAnswer: 100_000 });
  const body = JSON.stringify({
    model: engine.models()[0]?.id,
    stream: true,
    messages: [{ role: "user", content: "Hi" }],
  });
  const ask = () =>
    fetch(`${network.baseUrl}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
  // The client may still hold a ticket for nodes that are gone.
  let answer = await ask();
  await expect
    .poll(async () => (answer.ok ? 200 : (answer = await ask()).status), { timeout: 20_000 })
    .toBe(200);
  const reader = (answer.body ?? expect.unreachable()).getReader();
  await reader.read();

  worker.process.kill("SIGTERM");
  await expect.poll(async () => (await nodeIds()).length, { timeout: 20_000 }).toBe(0);
  for (let more = 0; more < 20; more += 1) expect((await reader.read()).done).toBe(false);
  expect(worker.process.exitCode).toBeNull();

  worker.process.kill("SIGTERM");
  expect(await worker.process.exited).toBe(143);
  let text = "";
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    text = Buffer.from(read.value).toString();
  }
  expect(textOfStream(text)).toMatch(/"error":\{.*\}\}\n\ndata: \[DONE\]\n\n$/);
  // It is told with the next start.
  expect(readOutbox(worker.home, "worker")).toMatchObject({ unfinished: 1 });
});
