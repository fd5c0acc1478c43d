// Compares llama-server's answers with what comes through the network, byte for byte.
// usage: npm run test:conformance [-- vitest arguments]
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleanupStack } from "#support/cleanup-stack";
import { ensureLlamaServer } from "#support/llama-server-build";
import { startVitest } from "#support/vitest-process";
import { startEngines } from "../tests/conformance/engine-fleet";
import { ENGINES_VARIABLE } from "../tests/conformance/engines";

const CONFIG = "tests/conformance/vitest.config.ts";

const cleanup = cleanupStack();
try {
  await ensureLlamaServer();
  const folder = await mkdtemp(join(tmpdir(), "troop-conformance-"));
  cleanup.add(() => rm(folder, { recursive: true, force: true }));
  console.log("starting the engines …");
  const engines = await startEngines(folder, cleanup.add);

  const vitest = startVitest(["--config", CONFIG, ...process.argv.slice(2)], {
    [ENGINES_VARIABLE]: JSON.stringify(engines),
  });
  cleanup.add(vitest.stop);
  process.exitCode = await vitest.exitCode;
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await cleanup.run();
}
