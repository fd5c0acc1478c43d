import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { openHome } from "#peer/home/open-home";
import { OpenAiError } from "#protocol/openai-error";
import { SEALED_PATH } from "#protocol/sealed-message";
import { problem } from "../coordinator/fake-coordinator";
import { fakeNetwork } from "./fake-network";
import { engine, sealedPost, startWorker } from "./worker-under-test";

it("takes no request whose receipt it cannot keep, says why, and loses none that it kept", async () => {
  const network = await fakeNetwork();
  const { answers } = network.coordinator;
  const settle = answers["POST /transactions/submit"] ?? expect.unreachable();
  answers["POST /transactions/submit"] = () => problem("store_unavailable");
  const folder = await mkdtemp(join(tmpdir(), "troop-full-"));
  const demo = engine();
  const script = fileURLToPath(import.meta.resolve("./worker-process.ts"));
  const worker = Bun.spawn(
    [
      "sh",
      "-c",
      // No file of it can be larger than 200 KiB.
      `trap '' XFSZ; ulimit -f 400; exec "$@"`,
      "sh",
      process.execPath,
      script,
      folder,
      network.coordinator.baseUrl,
      demo.url,
    ],
    { stdout: "pipe", stderr: "pipe" },
  );
  onTestFinished(() => worker.kill("SIGKILL"));
  const { value } = await worker.stdout.getReader().read();
  const { url, nodeId } = JSON.parse(Buffer.from(value ?? []).toString()) as {
    url: string;
    nodeId: string;
  };

  let served = 0;
  let refused: Response | undefined;
  for (let seq = 1; seq < 1_000 && refused === undefined; seq += 1) {
    const post = await sealedPost({ network, nodeId, home: { dir: folder } }, {}, seq);
    const { headers, body, open } = post;
    const answer = await open(await fetch(url + SEALED_PATH, { method: "POST", body, headers }));
    if (answer.status !== 200) refused = answer;
    else if ((await answer.text()) !== "") served += 1;
  }
  expect(refused?.status).toBe(500);
  expect(OpenAiError.parse(await refused?.json()).error.code).toBe("internal");
  expect(served).toBeGreaterThan(0);
  const atEngine = demo.journal.entries().filter(({ method }) => method === "POST").length;
  expect(atEngine).toBe(served);
  worker.kill("SIGKILL");
  await worker.exited;
  expect(await new Response(worker.stderr).text()).toContain("A receipt cannot be written");

  answers["POST /transactions/submit"] = settle;
  await startWorker({ engines: [demo.url], network, home: await openHome(folder) });
  await network.receipts.until(() => network.receipts.all.length === served);
  const seqs = network.receipts.all.map(({ seq }) => seq).toSorted((a, b) => a - b);
  expect(seqs).toEqual(Array.from({ length: served }, (_, place) => place + 1));
});
