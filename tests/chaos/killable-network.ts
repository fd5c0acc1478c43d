import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { cleanupStack } from "#support/cleanup-stack";
import { startRedisServer } from "#support/redis-server";
import type { Killable } from "./killable";
import { startClientProgram, startCoordinatorProgram, startWorkerProgram } from "./programs";

/** A network of processes on this machine, each of which can be killed; the engine and Redis stay. */
export type KillableNetwork = {
  readonly engine: DemoEngine;
  readonly coordinator: Killable;
  readonly worker: Killable;
  readonly client: Killable;
  readonly homes: { readonly worker: string; readonly client: string };
  /** Of the coordinator, with its embedded Postgres. */
  readonly dataDir: string;
  /** Stops the three in order; the data stays. */
  readonly stopPrograms: () => Promise<void>;
  readonly remove: () => Promise<void>;
};

/** More than a run of days could send. */
const JOURNAL_ENTRIES = 1_000_000;

export async function startKillableNetwork(): Promise<KillableNetwork> {
  const cleanup = cleanupStack();
  try {
    const folder = await mkdtemp(join(tmpdir(), "troop-chaos-"));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    const redis = await startRedisServer();
    cleanup.add(redis.stop);
    const engine = startDemoEngine({
      voice: "vllm",
      slots: 64,
      firstTokenMs: 20,
      tokensPerSecond: 150,
      journal: { limit: JOURNAL_ENTRIES },
    });
    cleanup.add(() => engine.close());

    const dataDir = join(folder, "coordinator");
    const homes = { worker: join(folder, "worker"), client: join(folder, "client") };
    const start = async (program: Promise<Killable>): Promise<Killable> => {
      const started = await program;
      cleanup.add(started.stop);
      return started;
    };
    const coordinator = await start(startCoordinatorProgram(dataDir, { REDIS_URL: redis.url }));
    const at = ["--coordinator", coordinator.url()];
    const worker = await start(startWorkerProgram("worker", homes.worker, engine.url, at));
    const client = await start(startClientProgram(homes.client, at));
    const stopPrograms = async (): Promise<void> => {
      for (const program of [client, worker, coordinator]) await program.stop();
    };
    return {
      engine,
      coordinator,
      worker,
      client,
      homes,
      dataDir,
      stopPrograms,
      remove: () => cleanup.run(),
    };
  } catch (cause) {
    await cleanup.run();
    throw cause;
  }
}
