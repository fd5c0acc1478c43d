import { expect, it } from "vitest";
import { demoModel } from "#demo/engine/settings";
import { CliError } from "#peer/cli/error";
import { openHome } from "#peer/home/open-home";
import { stopInOrder } from "#peer/worker/stop-in-order";
import { OpenAiError } from "#protocol/openai-error";
import { problem } from "../coordinator/fake-coordinator";
import { temporaryFolder } from "../home/temporary-folder";
import { fakeNetwork, MODEL } from "./fake-network";
import { alwaysLending } from "./always-lending";
import { CHAT, engine, startWorker } from "./worker-under-test";

it("offers what the engine has, at the address it listens on", async () => {
  const demo = engine({ models: [demoModel("b/two:1"), demoModel("a/one:2")] });
  const worker = await startWorker({ engines: [demo.url], concurrency: 3 });
  const [first] = worker.network.heartbeats.all;
  expect(first).toMatchObject({
    state: "serving",
    urls: [worker.ready.url],
    models: [{ id: "a/one:2", engine: "vllm" }, { id: "b/two:1" }],
    withdrawn: [],
    concurrency: 3,
  });
});

it("offers the address that it is told to", async () => {
  const advertise = "http://100.64.0.1:8080";
  const worker = await startWorker({ engines: [engine().url], advertise });
  expect(worker.network.heartbeats.all[0]?.urls).toEqual([advertise]);
  expect(worker.ready.url).toBe(advertise);
});

it("says where it looked for an engine, and looks on", async () => {
  const worker = await startWorker({ engines: ["http://127.0.0.1:9"] });
  expect(worker.ready).toMatchObject({ models: 0, engines: [] });
  expect(worker.said.all).toEqual([
    "No engine: nothing listens at http://127.0.0.1:9.",
    "Nothing to lend yet. Start an engine, or name one with --engine URL; looking on.",
  ]);
  expect(worker.network.heartbeats.all[0]).toMatchObject({ models: [], concurrency: 1 });
});

it("serves with its coordinator away, and says so once, and once that it is back", async () => {
  const network = await fakeNetwork();
  const home = await openHome(await temporaryFolder());
  const demo = engine();
  // It was enrolled once.
  await (await startWorker({ engines: [demo.url], network, home })).stop();

  const { answers } = network.coordinator;
  const beat = answers["POST /heartbeat"] ?? expect.unreachable();
  answers["POST /heartbeat"] = () => problem("store_unavailable", {}, { "retry-after": "0" });
  const worker = await startWorker({ engines: [demo.url], network, home });
  const answer = await worker.post();
  expect(answer.status).toBe(200);
  await answer.text();
  answers["POST /heartbeat"] = beat;
  await worker.said.until((line) => line === "The coordinator answers again.");
  const lost = worker.said.all.filter((line) => line.includes("store_unavailable"));
  expect(lost).toHaveLength(1);
});

it("says that it cannot check tickets before it has reached its coordinator", async () => {
  const network = await fakeNetwork();
  network.coordinator.answers["POST /register"] = () => problem("store_unavailable");
  const worker = await startWorker({ engines: [engine().url], network });
  const answer = await worker.post();
  expect(answer.status).toBe(503);
  expect(OpenAiError.parse(await answer.json()).error.code).toBe("coordinator_unreachable");
});

it("does not run where its coordinator will not have it", async () => {
  const network = await fakeNetwork();
  network.coordinator.answers["POST /heartbeat"] = () => problem("address_not_allowed");
  await expect(startWorker({ engines: [engine().url], network })).rejects.toMatchObject({
    problem: { code: "address_not_allowed" },
  });
});

it("does not advertise an address that nobody can dial", async () => {
  const network = await fakeNetwork();
  const { runWorker } = await import("#peer/worker/run");
  const home = await openHome(await temporaryFolder());
  const run = runWorker({
    home,
    lending: alwaysLending(home),
    coordinatorUrl: network.coordinator.baseUrl,
    engines: [],
    listen: { host: "0.0.0.0", port: 0 },
    advertise: undefined,
    concurrency: undefined,
    refreshIntervalS: 180,
    env: {},
    say: () => {},
    signal: AbortSignal.abort(),
  });
  await expect(run).rejects.toThrow(CliError);
});

it("lets what runs end, takes nothing new, and says goodbye", async () => {
  const demo = engine({ tokensPerSecond: 100, tokensPerAnswer: 60 });
  const worker = await startWorker({ engines: [demo.url] });
  const running = await worker.post();
  const reader = (running.body ?? expect.unreachable()).getReader();
  await reader.read();
  const stopped = worker.stop();
  await worker.network.heartbeats.until(({ state }) => state === "leaving");
  const refused = await worker.post();
  expect(refused.status).toBe(503);
  expect(OpenAiError.parse(await refused.json()).error.code).toBe("node_busy");

  let text = "";
  for (let read = await reader.read(); read.value !== undefined; read = await reader.read()) {
    text += Buffer.from(read.value).toString();
  }
  expect(text).toMatch(/data: \[DONE\]\n\n$/);
  await stopped;
  expect(worker.network.receipts.all.map(({ outcome }) => outcome)).toEqual(["completed"]);
  expect(worker.network.heartbeats.all.at(-1)).toMatchObject({ models: [], withdrawn: [MODEL] });
  await expect(fetch(worker.ready.url + CHAT, { method: "POST" })).rejects.toThrow();
});

it("ends what does not end by itself, before the receipts are handed in", async () => {
  const order: string[] = [];
  const never = new Promise<void>(() => {});
  await stopInOrder(
    {
      availability: { drain: () => order.push("drain") },
      server: { finish: async () => void order.push("finish") },
      heartbeats: { leave: async () => void order.push("leave") },
      jobs: {
        cutAll: (by) => order.push(`cut: ${by}`),
        drained: () => never,
      },
      submitter: { flush: async () => void order.push("flush") },
    },
    1,
  );
  expect(order).toEqual(["drain", "leave", "cut: stopping", "finish", "flush"]);
});
