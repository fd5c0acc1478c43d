import { join } from "node:path";
import type { ClientReady } from "#peer/client/options";
import { runClient } from "#peer/client/run";
import { removeServiceFile, writeServiceFile } from "#peer/home/service-file";
import { openHome } from "#peer/home/open-home";
import { lendingSetup } from "#peer/lending/setup";
import { platformNamed } from "#peer/platform/platform";
import type { WorkerReady } from "#peer/worker/options";
import { runWorker } from "#peer/worker/run";
import { startCoordinator } from "#self-host/coordinator";
import { COORDINATOR_FOLDER } from "./data-folder";

/** Everything of this network is on this machine. */
const HOST = "127.0.0.1";

export type NetworkOptions = {
  /** Holds the coordinator's data and a home for each of the two peers. */
  readonly dataDir: string;
  /** 0 takes any free port, here and below. */
  readonly coordinatorPort: number;
  readonly clientPort: number;
  /** URLs of engines; empty: those found on this machine. */
  readonly engines: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly say: (line: string) => void;
  /** Settings of the coordinator, for tests. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Stores of the coordinator, for tests. */
  readonly databaseUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
};

export type Network = {
  /** For OpenAI's clients: ends in `/v1`. */
  readonly endpoint: string;
  readonly coordinatorUrl: string;
  readonly homes: { readonly worker: string; readonly client: string };
  readonly worker: WorkerReady;
  /** Rejects when a peer stops by itself. */
  readonly ended: Promise<never>;
  readonly stop: () => Promise<void>;
};

/** A coordinator, a worker and a client, two users, in this process. */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const { dataDir, env, say } = options;
  const coordinator = await startCoordinator({
    dataDir: join(dataDir, COORDINATOR_FOLDER),
    host: HOST,
    port: options.coordinatorPort,
    databaseUrl: options.databaseUrl,
    redisUrl: options.redisUrl,
    settings: { ALLOWED_RANGES: "127.0.0.0/8", ...options.settings },
    say,
  });
  const stopping = new AbortController();
  const homes = { worker: join(dataDir, "worker"), client: join(dataDir, "client") };
  const shared = { coordinatorUrl: coordinator.url, env, signal: stopping.signal };
  const running: Promise<void>[] = [];
  const stop = async () => {
    stopping.abort();
    await Promise.allSettled(running);
    for (const kind of ["worker", "client"] as const) {
      await removeServiceFile(homes[kind], { kind, url: coordinator.url, pid: process.pid });
    }
    await coordinator.stop();
  };

  try {
    say("Starting the worker …");
    const workerHome = await openHome(homes.worker);
    const worker = await whenReady<WorkerReady>((onReady) => {
      // The machine's owner is at the keyboard, trying it out.
      const lending = lendingSetup(
        { policy: "always" },
        { platform: platformNamed(process.platform), env, homeDir: workerHome.dir },
      );
      const run = runWorker({
        ...shared,
        home: workerHome,
        lending,
        engines: options.engines,
        listen: { host: HOST, port: 0 },
        advertise: undefined,
        concurrency: undefined,
        refreshIntervalS: 180,
        say: (line) => say(`worker: ${line}`),
        onReady,
      });
      running.push(run);
      return run;
    });
    say("Starting the client …");
    const clientHome = await openHome(homes.client);
    const client = await whenReady<ClientReady>((onReady) => {
      const run = runClient({
        ...shared,
        home: clientHome,
        host: HOST,
        port: options.clientPort,
        say: (line) => say(`client: ${line}`),
        onReady,
      });
      running.push(run);
      return run;
    });
    await writeServiceFile(homes.worker, { kind: "worker", url: worker.url, pid: process.pid });
    await writeServiceFile(homes.client, { kind: "client", url: client.url, pid: process.pid });
    const ended = Promise.race(running).then((): never => {
      throw new Error("A peer stopped by itself.");
    });
    ended.catch(() => undefined); // Whoever wants to know awaits it.
    return {
      endpoint: `${client.url}/v1`,
      coordinatorUrl: coordinator.url,
      homes,
      worker,
      ended,
      stop,
    };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** Resolves when a service says that it is ready, rejects when it ends before that. */
function whenReady<Ready>(run: (onReady: (ready: Ready) => void) => Promise<void>): Promise<Ready> {
  return new Promise((resolve, reject) => {
    run(resolve).then(() => reject(new Error("It stopped before it was ready.")), reject);
  });
}
