import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dieWithParent } from "./die-with-parent";

export type ServerCommand = {
  /** For messages. */
  readonly name: string;
  readonly command: readonly string[];
  /** Both output streams go here. */
  readonly logPath: string;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Starts the program as this user; only root can. */
  readonly user?: string;
  /** The signal on which the program ends cleanly and at once. */
  readonly stopSignal: "SIGTERM" | "SIGINT" | "SIGKILL";
  /** Whether it serves now; called again until it says so or the program ends. */
  readonly isReady: () => Promise<boolean>;
  readonly readyTimeoutMs: number;
};

export type ServerProcess = { readonly pid: number; readonly stop: () => Promise<void> };

/** A program that can be ended and started again as it was. */
export type Restartable = {
  readonly stop: () => Promise<void>;
  readonly takeDown: () => Promise<void>;
  readonly bringUp: () => Promise<void>;
};

const POLL_MS = 25;
const STOP_PATIENCE_MS = 10_000;
const LOG_TAIL_CHARACTERS = 2_000;

/** Starts a program and waits until it serves; throws with the end of its log if it does not. */
export async function startServerProcess(server: ServerCommand): Promise<ServerProcess> {
  const log = openSync(server.logPath, "w");
  const child = Bun.spawn(dieWithParent({ ...server, signal: server.stopSignal }), {
    stdin: server.stdin === undefined ? "ignore" : new TextEncoder().encode(server.stdin),
    stdout: log,
    stderr: log,
    ...(server.cwd === undefined ? {} : { cwd: server.cwd }),
  });
  closeSync(log);

  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill(server.stopSignal);
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_PATIENCE_MS);
    await child.exited;
    clearTimeout(timer);
  };

  const deadlineMs = Date.now() + server.readyTimeoutMs;
  while (!(await server.isReady())) {
    const problem =
      child.exitCode !== null || child.signalCode !== null
        ? `ended before it served (${child.exitCode ?? child.signalCode})`
        : Date.now() > deadlineMs
          ? `does not serve after ${server.readyTimeoutMs} ms`
          : null;
    if (problem !== null) {
      await stop();
      throw new Error(`${server.name} ${problem}:\n${await logTail(server.logPath)}`);
    }
    await Bun.sleep(POLL_MS);
  }
  return { pid: child.pid, stop };
}

/** `remove`: what is to be done when it has stopped for good. */
export async function startRestartable(
  command: ServerCommand,
  remove: () => Promise<void>,
): Promise<Restartable> {
  let server = await startServerProcess(command);
  return {
    takeDown: () => server.stop(),
    async bringUp() {
      server = await startServerProcess(command);
    },
    async stop() {
      await server.stop();
      await remove();
    },
  };
}

async function logTail(path: string): Promise<string> {
  const log = await readFile(path, "utf8");
  return log.slice(-LOG_TAIL_CHARACTERS);
}
