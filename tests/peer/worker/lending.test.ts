import { expect, it } from "vitest";
import { askWorker } from "#peer/control/ask";
import { openHome } from "#peer/home/open-home";
import { policyOf } from "#peer/lending/policy";
import { OpenAiError } from "#protocol/openai-error";
import { temporaryFolder } from "../home/temporary-folder";
import { alwaysLending } from "./always-lending";
import { MODEL } from "./fake-network";
import { engine, startWorker, type WorkerUnderTest } from "./worker-under-test";

const ask = (worker: WorkerUnderTest, request: Parameters<typeof askWorker>[1]) =>
  askWorker(alwaysLending(worker.home).control, request);

it("is off the lists at once when its owner pauses it, takes nothing, and is back when resumed", async () => {
  const worker = await startWorker({ engines: [engine().url] });
  const { heartbeats } = worker.network;
  const paused = await ask(worker, { ask: "pause" });
  expect(paused).toMatchObject({ state: "paused", reason: "paused", why: "you paused it" });
  await heartbeats.until(({ state }) => state === "paused");
  expect(heartbeats.all.at(-1)).toMatchObject({
    state: "paused",
    reason: "paused",
    models: [],
    withdrawn: [MODEL],
  });
  const refused = await worker.post();
  expect(refused.status).toBe(503);
  expect(refused.headers.get("retry-after")).not.toBeNull();
  expect(OpenAiError.parse(await refused.json()).error.code).toBe("node_busy");

  expect(await ask(worker, { ask: "resume" })).toMatchObject({ state: "lending" });
  const before = heartbeats.all.length;
  await heartbeats.until(
    (beat) => heartbeats.all.indexOf(beat) >= before - 1 && beat.state === "serving",
  );
  expect((await worker.post()).status).toBe(200);
});

it("stays paused over a restart, and says so", async () => {
  const home = await openHome(await temporaryFolder());
  const demo = engine();
  const first = await startWorker({ engines: [demo.url], home });
  await ask(first, { ask: "pause" });
  await first.stop();
  const second = await startWorker({ engines: [demo.url], home, network: first.network });
  expect(await ask(second, { ask: "status" })).toMatchObject({ state: "paused" });
  expect((await second.post()).status).toBe(503);
});

it("ends a pause by itself when its time is over", async () => {
  const worker = await startWorker({ engines: [engine().url] });
  await ask(worker, { ask: "pause", for_ms: 50 });
  await worker.said.until((line) => line.startsWith("Paused: you paused it"));
  await worker.said.until((line) => line.startsWith("Lending:"));
  expect(await ask(worker, { ask: "status" })).toMatchObject({ state: "lending" });
});

it("cuts what still runs when its time to end is over, and says why", async () => {
  const demo = engine({ tokensPerSecond: 20, tokensPerAnswer: 1_000 });
  const policy = policyOf({ policy: "always", finish_seconds: 0 }, "UTC");
  const worker = await startWorker({ engines: [demo.url], lending: { policy } });
  const running = await worker.post();
  const reader = (running.body ?? expect.unreachable()).getReader();
  await reader.read();
  expect(await ask(worker, { ask: "pause" })).toMatchObject({ state: "paused" });
  let text = "";
  for (let read = await reader.read(); read.value !== undefined; read = await reader.read()) {
    text += Buffer.from(read.value).toString();
  }
  expect(text).toContain("owner came back");
  const { outcome } = await worker.network.receipts.until(() => true);
  expect(outcome).toBe("engine_error");
});

it("lends only the models that its owner offers", async () => {
  const policy = policyOf({ policy: "always", hide_models: ["demo-org/*"] }, "UTC");
  const worker = await startWorker({ engines: [engine().url], lending: { policy } });
  expect(worker.ready.models).toBe(0);
  expect(worker.network.heartbeats.all[0]).toMatchObject({ models: [] });
  expect((await worker.post()).status).toBe(404);
});

it("has told the coordinator before the machine sleeps, and is back when it wakes", async () => {
  let sleep: (isAsleep: boolean) => Promise<void> = () => expect.unreachable();
  const worker = await startWorker({
    engines: [engine().url],
    lending: {
      watchSleep(onChange) {
        sleep = onChange;
        return () => {};
      },
    },
  });
  const { heartbeats } = worker.network;
  await sleep(true);
  expect(heartbeats.all.at(-1)).toMatchObject({ state: "paused", reason: "asleep", models: [] });
  await sleep(false);
  expect(heartbeats.all.at(-1)).toMatchObject({ state: "serving", models: [{ id: MODEL }] });
});

it("tells its owner what it does and has", async () => {
  const worker = await startWorker({ engines: [engine().url], concurrency: 3 });
  expect(await ask(worker, { ask: "status" })).toEqual({
    state: "lending",
    why: "the policy is always",
    policy: "always",
    running: 0,
    waiting: 0,
    concurrency: 3,
    models: [{ id: MODEL, state: "loaded" }],
    gpus: [],
    signals: [],
  });
});
