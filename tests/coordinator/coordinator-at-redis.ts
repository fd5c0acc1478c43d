import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startCoordinator } from "#self-host/coordinator";
import { testStores } from "#support/coordinator";

export type CoordinatorAtRedis = Awaited<ReturnType<typeof startAtRedis>>;

/** A coordinator whose Redis is at a port of 127.0.0.1; on a port that peers know it by, or a free one. */
export async function startAtRedis(port: number, redisPort: number) {
  const dataDir = mkdtempSync(join(tmpdir(), "troop-away-"));
  const coordinator = await startCoordinator({
    dataDir,
    host: "127.0.0.1",
    port,
    databaseUrl: testStores.databaseUrl,
    redisUrl: `redis://127.0.0.1:${redisPort}`,
    settings: { ALLOWED_RANGES: "127.0.0.0/8", REGISTRATIONS_PER_HOUR: "1000" },
  });
  const stop = async () => {
    await coordinator.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { ...coordinator, dataDir, stop };
}
