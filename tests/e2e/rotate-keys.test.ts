import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { startNetwork, startTroop, type TestNetwork } from "#support/network";
import { newPeer } from "#support/test-peer";
import { troopBinary } from "#support/troop-binary";

let engine: DemoEngine;
let network: TestNetwork;

beforeAll(async () => {
  engine = startDemoEngine({ voice: "ollama", deterministic: true });
  network = await startNetwork({ engineUrl: engine.url });
});

afterAll(async () => {
  await network.stop();
  await engine.close();
});

const model = () => engine.models().find(({ kind }) => kind === "chat")?.id ?? "";

async function chat(baseUrl: string): Promise<number> {
  const answer = await fetch(`${baseUrl}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: model(), messages: [{ role: "user", content: "Hi" }] }),
  });
  await answer.arrayBuffer();
  return answer.status;
}

it("rotates by the operator's command while requests flow, and none fails, old ticket or new", async () => {
  const statuses: number[] = [];
  const over = new AbortController();
  const flow = async (): Promise<void> => {
    while (!over.signal.aborted) statuses.push(await chat(network.baseUrl));
  };
  const flows = [flow(), flow()];
  const rotate = Bun.spawn(
    ["bun", "scripts/rotate-keys.ts", "--data", network.coordinator.dataDir, "--lead", "1"],
    { stdout: "pipe", stderr: "inherit" },
  );
  const said = await new Response(rotate.stdout).text();
  const kid = /^The key (\S+) is shown/.exec(said)?.[1];

  const raw = await newPeer(network.coordinator.url);
  const header = async () => {
    const { enrolment } = await raw.register();
    return Buffer.from(enrolment.split(".")[0] ?? "", "base64url").toString();
  };
  await expect.poll(header, { timeout: 20_000 }).toContain(`"kid":"${kid}"`);
  // A client that comes now has tickets by the new key alone; the worker has never seen that key.
  const args = ["client", "--port", "0", "--no-local", "--coordinator", network.coordinator.url];
  const home = join(network.client.home, "../late");
  const late = await startTroop(await troopBinary(), home, args);
  for (let turn = 0; turn < 5; turn += 1) statuses.push(await chat(late.url));
  late.process.kill("SIGTERM");
  await late.process.exited;
  over.abort();
  await Promise.all(flows);
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(statuses.length).toBeGreaterThan(10);
});
