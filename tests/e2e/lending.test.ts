import { expect, it, onTestFinished } from "vitest";
import { startDemoEngine } from "#demo/engine/start";
import { openHome } from "#peer/home/open-home";
import { policyOf } from "#peer/lending/policy";
import type { Probe } from "#peer/probes/probe";
import { runWorker } from "#peer/worker/run";
import { NodePage } from "#protocol/directory";
import { temporaryFolder } from "../peer/home/temporary-folder";
import { alwaysLending } from "../peer/worker/always-lending";
import { startTestCoordinator } from "../support/coordinator";
import { newPeer } from "../support/test-peer";

const HOUR_MS = 3_600_000;

it("is gone from /peers as soon as its owner touches a key, and back when they are away", async () => {
  const engine = startDemoEngine({ voice: "vllm" });
  onTestFinished(() => engine.close());
  const coordinator = await startTestCoordinator();
  onTestFinished(coordinator.stop);
  const reader = await newPeer(coordinator.url);
  await reader.register();
  const listed = async () => {
    const answer = await reader.call("/peers");
    return NodePage.parse(await answer.json()).nodes.length;
  };

  let idleMs = HOUR_MS;
  const keyboard: Probe = {
    signal: "input",
    source: "keyboard",
    read: async () => ({ ok: true, value: { idleMs } }),
  };
  const home = await openHome(await temporaryFolder());
  const stopping = new AbortController();
  const said: string[] = [];
  let stopped: Promise<void> | undefined;
  await new Promise<unknown>((resolve, reject) => {
    stopped = runWorker({
      home,
      coordinatorUrl: coordinator.url,
      engines: [engine.url],
      listen: { host: "127.0.0.1", port: 0 },
      advertise: undefined,
      concurrency: undefined,
      refreshIntervalS: 180,
      lending: { ...alwaysLending(home), policy: policyOf({}, "UTC"), probes: [keyboard] },
      env: {},
      say: (line) => said.push(line),
      signal: stopping.signal,
      onReady: resolve,
    });
    stopped.catch(reject);
  });
  onTestFinished(async () => {
    stopping.abort();
    await stopped;
  });

  expect(said).toContain("Lending: nobody uses this machine.");
  expect(await listed()).toBe(1);
  idleMs = 0;
  await expect.poll(listed, { interval: 200, timeout: 20_000 }).toBe(0);
  expect(said.at(-1)).toMatch(
    /^Paused: somebody uses this machine; until \d\d:\d\d if nothing happens\.$/,
  );
  idleMs = HOUR_MS;
  await expect.poll(listed, { interval: 200, timeout: 20_000 }).toBe(1);
});
