// Real programs that use models, each answered through a network of its own by the demo engine. For every night: it
// downloads more than a gigabyte, into a temporary folder that is removed.
// usage: npm run test:clients [-- codex opencode qwen claude chromium]
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoModel } from "#demo/engine/settings";
import { startDemoEngine } from "#demo/engine/start";
import { cleanupStack } from "#support/cleanup-stack";
import { startNetwork } from "#support/network";
import { runStep } from "#support/run-step";
import { type Client, CLIENTS, runClient } from "./clients";

/** What the demo engine's answers speak of. */
const ANSWER = "demo engine";
const MODEL = "org/chat:1b";
const LIMIT_MS = 180_000;
const SHOWN_CHARACTERS = 2_000;

const cleanup = cleanupStack();
try {
  const wanted = process.argv.slice(2);
  const clients = CLIENTS.filter(({ bin }) => wanted.length === 0 || wanted.includes(bin));
  if (clients.length === 0) throw new Error(`There is no such client: ${wanted.join(", ")}.`);
  const folder = await mkdtemp(join(tmpdir(), "troop-clients-"));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  const engine = startDemoEngine({
    voice: "vllm",
    models: [demoModel(MODEL, { contextLength: 262_144 })],
  });
  cleanup.add(() => engine.close());
  const network = await startNetwork({ engineUrl: engine.url });
  cleanup.add(network.stop);

  let failed = 0;
  for (const client of clients) {
    engine.journal.clear();
    const isAnswered = await passes(client, folder, network.baseUrl, () =>
      engine.journal.entries().map(({ path }) => path),
    );
    if (!isAnswered) failed += 1;
  }
  console.log(`${clients.length - failed} of ${clients.length} clients were answered`);
  process.exitCode = failed === 0 ? 0 : 1;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanup.run();
}

async function passes(
  client: Client,
  folder: string,
  baseUrl: string,
  asked: () => readonly string[],
): Promise<boolean> {
  const installed = join(folder, client.bin);
  const home = join(folder, `${client.bin}-home`);
  await mkdir(home, { recursive: true });
  const install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", installed];
  const logPath = join(folder, `${client.bin}.log`);
  await runStep(`installing ${client.package}`, [...install, client.package], { logPath });
  const { exitCode, out, seconds } = await runClient(
    client,
    installed,
    { baseUrl, model: MODEL, home },
    LIMIT_MS,
  );
  await rm(installed, { recursive: true, force: true });
  const isAnswered = exitCode === 0 && out.includes(ANSWER) && asked().includes(client.target);
  console.log(
    `${isAnswered ? "ok    " : "FAILED"} ${seconds.toFixed(1)} s  ${client.bin}, ${client.target}`,
  );
  if (!isAnswered)
    console.log(
      `exit code ${exitCode}, asked ${asked().join(" ")}:\n${out.slice(-SHOWN_CHARACTERS)}`,
    );
  return isAnswered;
}
