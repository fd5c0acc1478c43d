import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { type RunningCoordinator, startCoordinator } from "#self-host/coordinator";
import { createDatabase } from "./own-database";
import { ownRedis } from "./own-redis";

export type TestCoordinator = RunningCoordinator & { readonly dataDir: string };

const realPostgres = process.env["TROOP_TEST_DATABASE_URL"];
const realRedis = process.env["TROOP_TEST_REDIS_URL"];

/**
 * The stores of a test file: embedded ones, or the real servers that `npm run test:stores` starts. There
 * each file has databases of its own, so that what one writes is nothing another has to live with.
 */
export const testStores = {
  databaseUrl: realPostgres === undefined ? undefined : (await createDatabase(realPostgres)).url,
  redisUrl: realRedis === undefined ? undefined : await ownRedis(realRedis),
};

/** A coordinator for one test file: the shipped bundle under Miniflare, on a free port of 127.0.0.1. */
export async function startTestCoordinator(
  settings: Record<string, string> = {},
  signingKeys?: string,
): Promise<TestCoordinator> {
  const dataDir = mkdtempSync(join(tmpdir(), "troop-coordinator-"));
  if (signingKeys !== undefined) {
    writeFileSync(join(dataDir, "signing-keys.json"), signingKeys, { mode: 0o600 });
  }
  const running = await startCoordinator({
    dataDir,
    host: "127.0.0.1",
    port: 0,
    ...testStores,
    settings: { ALLOWED_RANGES: "127.0.0.0/8", REGISTRATIONS_PER_HOUR: "10000", ...settings },
  });
  const stop = async () => {
    await running.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
  return { ...running, dataDir, stop };
}

/** Starts a coordinator before the tests of this file and stops it after them. */
export function useCoordinator(settings?: Record<string, string>): () => TestCoordinator {
  let coordinator: TestCoordinator | undefined;
  beforeAll(async () => {
    coordinator = await startTestCoordinator(settings);
  });
  afterAll(() => coordinator?.stop());
  return () => {
    if (coordinator === undefined) throw new Error("The coordinator has not started yet.");
    return coordinator;
  };
}
