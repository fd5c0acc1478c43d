import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { cleanupStack } from "#support/cleanup-stack";
import { freePort } from "#support/free-port";
import { startRedisServer } from "#support/redis-server";
import { troopBinary } from "#support/troop-binary";
import { type Killable, startKillable } from "./killable";

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

const SELF_HOST = fileURLToPath(import.meta.resolve("#self-host/main"));
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
    const binary = await troopBinary();
    const [coordinatorPort, workerPort, clientPort] = [
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const start = async (
      name: string,
      command: readonly string[],
      env: Record<string, string> = {},
    ): Promise<Killable> => {
      const program = await startKillable({ name, command, env });
      cleanup.add(program.stop);
      return program;
    };
    const coordinator = await start(
      "coordinator",
      [process.execPath, SELF_HOST, "--port", String(coordinatorPort), "--data", dataDir],
      { REDIS_URL: redis.url, STARTER_CREDITS: "1000000", ALLOWED_RANGES: "127.0.0.0/8" },
    );
    const at = ["--coordinator", coordinator.url()];
    const worker = await start("worker", [
      binary,
      "worker",
      "--policy",
      "always",
      "--engine",
      engine.url,
      "--listen",
      `127.0.0.1:${workerPort}`,
      "--home",
      homes.worker,
      ...at,
    ]);
    const client = await start("client", [
      binary,
      "client",
      "--no-local",
      "--port",
      String(clientPort),
      "--home",
      homes.client,
      ...at,
    ]);
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
