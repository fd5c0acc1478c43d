import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandInPath, ensureDebianPackages } from "./debian-packages";
import { freePort } from "./free-port";
import { REDIS_DATABASES } from "./own-redis";
import { type ServerCommand, startRestartable } from "./server-process";

export type RedisServer = {
  /** `redis://…`, with its password. */
  readonly url: string;
  readonly stop: () => Promise<void>;
  /** Ends the server, and with it what it kept. */
  readonly takeDown: () => Promise<void>;
  readonly bringUp: () => Promise<void>;
};

/** A real Redis that keeps nothing, on a free port of 127.0.0.1. */
export async function startRedisServer(): Promise<RedisServer> {
  await ensureDebianPackages([
    { isPresent: commandInPath("redis-server"), debianPackage: "redis-server" },
  ]);
  const folder = await mkdtemp(join(tmpdir(), "troop-redis-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const password = crypto.randomUUID();
  const port = await freePort();
  const url = `redis://:${password}@127.0.0.1:${port}`;
  try {
    const program: ServerCommand = {
      name: "Redis",
      // "-" reads the settings from stdin, which keeps the password off the command line.
      command: ["redis-server", "-"],
      stdin: [
        "bind 127.0.0.1",
        `port ${port}`,
        `databases ${REDIS_DATABASES}`,
        `requirepass ${password}`,
        `dir ${folder}`,
        'save ""',
        "appendonly no",
      ].join("\n"),
      cwd: folder,
      logPath: join(folder, "redis.log"),
      stopSignal: "SIGTERM",
      isReady: () => answersPing(url),
      readyTimeoutMs: 60_000,
    };
    return { url, ...(await startRestartable(program, remove)) };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function answersPing(url: string): Promise<boolean> {
  const client = new Bun.RedisClient(url, { autoReconnect: false, connectionTimeout: 2_000 });
  try {
    return (await client.ping()) === "PONG";
  } catch {
    // Not up yet; the caller asks again, and gives up with the server's own log.
    return false;
  } finally {
    client.close();
  }
}
