import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DemoEngine, startDemoEngine } from "#demo/engine/start";
import { cleanupStack } from "#support/cleanup-stack";
import { freePort } from "#support/free-port";
import { type PostgresServer, startPostgresServer } from "#support/postgres-server";
import { type RedisServer, startRedisServer } from "#support/redis-server";
import type { OutboxHome } from "./drain";
import type { Killable } from "./killable";
import { startClientProgram, startCoordinatorProgram, startWorkerProgram } from "./programs";

export type StormNode = { readonly engine: DemoEngine; readonly worker: Killable };

/** Three nodes, one client, a coordinator on real stores: each a process that can be taken away. */
export type StormNetwork = {
  readonly nodes: readonly StormNode[];
  readonly client: Killable;
  readonly coordinator: Killable;
  readonly postgres: PostgresServer;
  readonly redis: RedisServer;
  readonly outboxes: readonly OutboxHome[];
  /** Stops client, workers and coordinator in order; the stores go on. */
  readonly stopPrograms: () => Promise<void>;
  readonly remove: () => Promise<void>;
};

const NODES = 3;
/** More than a storm could send. */
const JOURNAL_ENTRIES = 1_000_000;

/** `atOnce`: requests that two nodes have room for together. */
export async function startStormNetwork(atOnce: number): Promise<StormNetwork> {
  const cleanup = cleanupStack();
  try {
    const folder = await mkdtemp(join(tmpdir(), "troop-storm-"));
    cleanup.add(() => rm(folder, { recursive: true, force: true }));
    const postgres = await startPostgresServer();
    cleanup.add(postgres.stop);
    const redis = await startRedisServer();
    cleanup.add(redis.stop);
    const start = async (program: Promise<Killable>): Promise<Killable> => {
      const started = await program;
      cleanup.add(started.stop);
      return started;
    };
    const stores = { DATABASE_URL: postgres.url, REDIS_URL: redis.url };
    const coordinator = await start(startCoordinatorProgram(join(folder, "coordinator"), stores));
    const at = ["--coordinator", coordinator.url()];
    const slots = Math.ceil(atOnce * 0.6);
    const nodes: StormNode[] = [];
    const outboxes: OutboxHome[] = [];
    for (let node = 0; node < NODES; node += 1) {
      const engine = startDemoEngine({
        voice: "vllm",
        slots,
        port: await freePort(),
        firstTokenMs: 50,
        tokensPerSecond: 20,
        journal: { limit: JOURNAL_ENTRIES },
      });
      cleanup.add(() => engine.close());
      const home = join(folder, `worker-${node}`);
      const args = ["--concurrency", String(slots), ...at];
      const worker = await start(startWorkerProgram(`node ${node}`, home, engine.url, args));
      nodes.push({ engine, worker });
      outboxes.push({ owner: "worker", home });
    }
    const home = join(folder, "client");
    const client = await start(startClientProgram(home, at));
    outboxes.push({ owner: "client", home });
    return {
      nodes,
      client,
      coordinator,
      postgres,
      redis,
      outboxes,
      async stopPrograms() {
        await client.stop();
        for (const { worker } of nodes) await worker.stop();
        await coordinator.stop();
      },
      remove: () => cleanup.run(),
    };
  } catch (cause) {
    await cleanup.run();
    throw cause;
  }
}
