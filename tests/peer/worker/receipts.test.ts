import { createHash } from "node:crypto";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { demoModel, VOICES } from "#demo/engine/settings";
import { openHome } from "#peer/home/open-home";
import { temporaryFolder } from "../home/temporary-folder";
import { problem } from "../coordinator/fake-coordinator";
import { fakeNetwork, MODEL } from "./fake-network";
import { SEALED_PATH } from "#protocol/sealed-message";
import { chatBody, engine, sealedPost, startWorker } from "./worker-under-test";

function sha256(data: string): string {
  return createHash("sha256").update(data).digest("base64url");
}

it.each(VOICES)(
  "tells what was served by %s: tokens, times and the hashes of both bodies",
  async (voice) => {
    const demo = engine({ voice, models: [demoModel(MODEL)], firstTokenMs: 30 });
    const worker = await startWorker({ engines: [demo.url] });
    const bodies = [
      chatBody({ stream: false }),
      chatBody({ stream_options: { include_usage: true } }),
    ];
    const hashes: string[][] = [];
    for (const body of bodies) {
      const answer = await (await worker.post({ body })).text();
      hashes.push([sha256(body), sha256(answer)]);
    }
    await worker.stop();
    for (const [index, [requestHash, responseHash]] of hashes.entries()) {
      const receipt = worker.network.receipts.all[index];
      expect(receipt).toMatchObject({
        iss: worker.nodeId,
        model: MODEL,
        outcome: "completed",
        completion_tokens: 40,
        prompt_tokens: expect.any(Number),
        queue_ms: 0,
        request_hash: requestHash,
        response_hash: responseHash,
      });
      expect(receipt?.ttft_ms).toBeGreaterThanOrEqual(29);
      expect(receipt?.engine_ms).toBeGreaterThanOrEqual(receipt?.ttft_ms ?? Infinity);
    }
  },
);

it("keeps receipts while the coordinator is away, over a restart, and hands each in once", async () => {
  const network = await fakeNetwork();
  const home = await openHome(await temporaryFolder());
  const demo = engine();
  const { answers } = network.coordinator;
  const settle = answers["POST /transactions/submit"] ?? expect.unreachable();
  answers["POST /transactions/submit"] = () =>
    problem("store_unavailable", {}, { "retry-after": "1" });

  const first = await startWorker({ engines: [demo.url], network, home });
  for (let each = 0; each < 3; each++) await (await first.post()).text();
  await first.stop();
  expect(network.receipts.all).toEqual([]);

  answers["POST /transactions/submit"] = settle;
  const second = await startWorker({ engines: [demo.url], network, home });
  await network.receipts.until(() => network.receipts.all.length === 3);
  await second.stop();
  expect([...network.deliveries.values()]).toEqual([1, 1, 1]);
});

it("hands in a receipt for what ran when the worker was killed", async () => {
  const network = await fakeNetwork();
  const folder = await mkdtemp(join(tmpdir(), "troop-killed-"));
  const demo = engine({ tokensPerSecond: 50, tokensPerAnswer: 100_000 });
  const script = fileURLToPath(import.meta.resolve("./worker-process.ts"));
  const worker = Bun.spawn(
    [process.execPath, script, folder, network.coordinator.baseUrl, demo.url],
    { stdout: "pipe", stderr: "inherit" },
  );
  onTestFinished(() => worker.kill("SIGKILL"));
  const line = await firstLine(worker.stdout);
  const { url, nodeId } = JSON.parse(line) as { url: string; nodeId: string };

  const { headers, body } = await sealedPost({ network, nodeId, home: { dir: folder } }, {}, 7);
  const answer = await fetch(url + SEALED_PATH, { method: "POST", body, headers });
  const reader = (answer.body ?? expect.unreachable()).getReader();
  await reader.read();
  worker.kill("SIGKILL");
  await worker.exited;
  await reader.read().catch(() => undefined);
  expect(network.receipts.all).toEqual([]);

  await startWorker({ engines: [demo.url], network, home: await openHome(folder) });
  const receipt = await network.receipts.until(() => true);
  expect(receipt).toMatchObject({ iss: nodeId, seq: 7, outcome: "engine_error" });
});

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) {
    text += Buffer.from(chunk).toString();
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  return expect.unreachable(`it ended before it was ready: ${text}`);
}
