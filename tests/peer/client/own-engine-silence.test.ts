import { expect, it, onTestFinished } from "vitest";
import { demoModel } from "#demo/engine/settings";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { createLocalEngines } from "#peer/client/local-engines";
import { engineCandidates } from "#peer/engines/engine-env";
import { watchEngines } from "#peer/engines/watch";
import { CHAT, chatBody, clientNetwork, MODEL } from "./client-under-test";
import { handlerFor } from "./handler-under-test";

const STREAM = chatBody({ stream: true });
const WAITING = ": waiting\n\n";

/** A client with an engine of its own, whose signs of life and seconds the test holds. */
async function startWithEngine() {
  const engine: DemoEngine = startDemoEngine({ voice: "vllm", models: [demoModel(MODEL)] });
  onTestFinished(() => engine.close());
  const { candidates } = engineCandidates([engine.url], {});
  const watch = await watchEngines({ candidates, onChange() {} });
  onTestFinished(() => watch.stop());
  const asked: number[] = [];
  let second = 0;
  const state = { isThere: true };
  const local = createLocalEngines(watch, () => {
    asked.push(second);
    return Promise.resolve(state.isThere);
  });
  const network = await clientNetwork();
  const client = await handlerFor(network, {}, { local });
  const pass = async (seconds: number): Promise<void> => {
    for (const until = second + seconds; second < until;) {
      second += 1;
      local.tick();
      // For what an answer to a question brings with it.
      for (let turn = 0; turn < 4; turn++) await Promise.resolve();
    }
  };
  return { engine, network, client, asked, state, pass };
}

it("ends a stream of its own engine that has frozen with an error, once the engine is gone for ten minutes", async () => {
  const { engine, client, asked, state, pass } = await startWithEngine();
  engine.setFault({ kind: "stall", after: 1 });
  const answer = await client.post(STREAM);
  expect(answer.headers.get("x-troop-node")).toBe("local");
  const text = answer.text();
  state.isThere = false;
  await pass(599);
  expect(engine.load().busy).toBe(1);
  await pass(1);
  expect(asked).toEqual([300, 360, 420, 480, 540, 600]);
  expect(await text).toMatch(/"code":"stream_broken".*\n\ndata: \[DONE\]\n\n$/);
  await expect.poll(() => engine.load().busy).toBe(0);
});

it("goes to a node where its own engine froze before it said anything", async () => {
  const { engine, network, client, state, pass } = await startWithEngine();
  const node = await network.addNode();
  engine.setFault({ kind: "slow-first-token", ms: 3_600_000 });
  const posted = client.post();
  await expect.poll(() => engine.load().busy).toBe(1);
  state.isThere = false;
  await pass(600);
  expect((await posted).headers.get("x-troop-node")).toBe(node.id);
});

it("asks nothing of an engine whose answers have ended", async () => {
  const { client, asked, pass } = await startWithEngine();
  for (const body of [STREAM, chatBody()]) await (await client.post(body)).text();
  await pass(1_000);
  expect(asked).toEqual([]);
});

it("waits for hours for an engine of its own that thinks, and keeps the app's connection open", async () => {
  const { engine, client, asked, pass } = await startWithEngine();
  engine.setFault({ kind: "slow-first-token", ms: 3_600_000 });
  const leaving = new AbortController();
  const posted = client.post(STREAM, CHAT, leaving.signal);
  await expect.poll(() => engine.load().busy).toBe(1);
  await pass(3_600);
  expect(asked.length).toBe(56);
  expect(engine.load().busy).toBe(1);
  client.wait(30);
  const reader = (await posted).body?.getReader();
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(WAITING);
  client.wait(15);
  expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe(WAITING);
  leaving.abort();
  await expect.poll(() => engine.load().busy).toBe(0);
});
