import { alwaysLending } from "../peer/worker/always-lending";
import { expect, it, onTestFinished } from "vitest";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { openAcks } from "#peer/client/acks/acks";
import { createBodyBudget } from "#peer/client/app/body-budget";
import { handle } from "#peer/client/handle";
import { createLeases } from "#peer/client/leases/leases";
import { createModels } from "#peer/client/app/model-list";
import { createNetworks } from "#peer/client/networks";
import { createNodeOrder } from "#peer/client/nodes/node-order";
import { probeNode } from "#peer/client/nodes/probe-node";
import { createSilenceWatch } from "#peer/client/nodes/silence";
import { createTicks } from "#peer/client/ticks";
import { tellOfTicket } from "#peer/client/leases/tell-of-ticket";
import { type CoordinatorApi, coordinatorApi } from "#peer/coordinator/api";
import { enrol } from "#peer/home/enrol";
import type { Home } from "#peer/home/home";
import { openHome } from "#peer/home/open-home";
import { systemClock } from "#peer/clock";
import { runWorker } from "#peer/worker/run";
import type { Balance } from "#protocol/statement";
import { startTestCoordinator } from "#support/coordinator";
import { temporaryFolder } from "../peer/home/temporary-folder";
import { withoutLastWords } from "#support/last-words";

const CREDIT = 1_000_000;
/** What each lease of these tests holds at first: two seconds. */
const BUDGET = 2 * CREDIT;

type Peer = { readonly home: Home; readonly api: CoordinatorApi; balance(): Promise<Balance> };

async function peer(baseUrl: string): Promise<Peer> {
  const home = await openHome(await temporaryFolder());
  const api = coordinatorApi({ baseUrl, identity: home.identity });
  const { user_id: userId } = await enrol(home, api);
  return { home, api, balance: () => api.balance(userId) };
}

/** Coordinator, worker and client as they ship; only the client asks for less money than `troop client` does. */
async function startNetwork(engine: DemoEngine, starterCredits: number) {
  const coordinator = await startTestCoordinator({ STARTER_CREDITS: String(starterCredits) });
  onTestFinished(coordinator.stop);
  const worker = await peer(coordinator.url);
  const stopping = new AbortController();
  let stopped: Promise<void> | undefined;
  await new Promise<unknown>((resolve, reject) => {
    stopped = runWorker({
      home: worker.home,
      coordinatorUrl: coordinator.url,
      engines: [engine.url],
      listen: { host: "127.0.0.1", port: 0 },
      advertise: undefined,
      concurrency: undefined,
      refreshIntervalS: 180,
      lending: alwaysLending(worker.home),
      env: {},
      say: () => {},
      signal: stopping.signal,
      onReady: resolve,
    });
    stopped.catch(reject);
  });
  onTestFinished(async () => {
    stopping.abort();
    await stopped;
  });

  const client = await peer(coordinator.url);
  const { home, api } = client;
  const { identity } = home;
  const acks = openAcks({
    home,
    coordinatorUrl: api.baseUrl,
    submit: (request) => api.submit(request),
    clock: systemClock,
    say: () => {},
  });
  onTestFinished(acks.stop);
  const dial = { identity, allowedRanges: () => ["127.0.0.0/8"], nowMs: Date.now };
  const leases = createLeases(
    {
      authorize: (body) => api.authorize({ ...body, budget: BUDGET }),
      extend: (body) => api.extend(body),
    },
    Date.now,
    { onExtended: (lease) => void tellOfTicket(dial, lease) },
  );
  const tending = setInterval(() => leases.tend(), 100);
  onTestFinished(() => clearInterval(tending));
  const deps = {
    ...dial,
    acks: acks.book,
    networks: createNetworks({
      main: () => "public",
      memberships: () => [],
      open: () => ({ leases, models: createModels(() => api.models(), { nowMs: Date.now }) }),
    }),
    order: createNodeOrder(Date.now),
    silence: createSilenceWatch(probeNode),
    ticks: createTicks(),
    surroundings: { hasChosenNodes: false, overlayAddress: () => "" },
    aliases: new Map<string, string>(),
    bodies: createBodyBudget(),
    listening: "127.0.0.1",
    origins: new Set<string>(),
    enrolled: () => Promise.resolve(),
  };
  async function stream(): Promise<string> {
    const model = engine.models().find(({ kind }) => kind === "chat")?.id;
    const body = JSON.stringify({
      model,
      stream: true,
      messages: [{ role: "user", content: "Hi" }],
    });
    const headers = {
      host: "127.0.0.1",
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(body)),
    };
    const url = "http://127.0.0.1/v1/chat/completions";
    return (await handle(deps, new Request(url, { method: "POST", headers, body }))).text();
  }
  return { worker, client, stream };
}

function slowEngine(tokensPerAnswer: number): DemoEngine {
  const engine = startDemoEngine({ voice: "vllm", tokensPerSecond: 20, tokensPerAnswer });
  onTestFinished(() => engine.close());
  return engine;
}

it("ends a stream that outlives its budget with a clear error, and what ran is paid", async () => {
  const { worker, client, stream } = await startNetwork(slowEngine(10_000), 2);
  const text = await stream();
  const frames = withoutLastWords(text).trimEnd().split("\n\n");
  expect(frames.at(-1)).toBe("data: [DONE]");
  expect(frames.at(-2)).toContain('"code":"budget_exhausted"');
  expect(frames.at(-2)).toContain("ran out of credits");
  // All that it had; the ack says the same, so that it is the worker's to spend.
  await expect
    .poll(async () => (await worker.balance()).available_microcredits, { timeout: 30_000 })
    .toBe(2 * BUDGET);
  expect(await client.balance()).toMatchObject({ available_microcredits: 0, held_microcredits: 0 });
});

it("lets a stream go on for as long as the client extends its lease", async () => {
  const { worker, client, stream } = await startNetwork(slowEngine(90), 100);
  const before = (await client.balance()).total_microcredits;
  const text = await stream();
  expect(text).not.toContain("budget_exhausted");
  expect(withoutLastWords(text).trimEnd()).toMatch(/data: \[DONE\]$/);
  await expect
    .poll(async () => (await worker.balance()).available_microcredits, { timeout: 30_000 })
    .toBeGreaterThan(100 * CREDIT + 2 * BUDGET);
  const paid = before - (await client.balance()).total_microcredits;
  expect((await worker.balance()).total_microcredits).toBe(100 * CREDIT + paid);
});
