import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Balance } from "#protocol/statement";
import { startTestCoordinator, type TestCoordinator } from "./coordinator";
import { troopBinary } from "./troop-binary";

export type Troop = {
  readonly home: string;
  readonly process: Bun.Subprocess<"ignore", "pipe", "pipe">;
  /** Where it listens, as it says itself. */
  readonly url: string;
};

export type TestNetwork = {
  /** The client's endpoint, without `/v1`. */
  readonly baseUrl: string;
  readonly coordinator: TestCoordinator;
  readonly worker: Troop;
  readonly client: Troop;
  /** Runs a command of the binary with a home; its answer is JSON. */
  readonly run: (home: string, args: readonly string[]) => Promise<unknown>;
  readonly balanceOf: (troop: Troop) => Promise<Balance>;
  readonly stop: () => Promise<void>;
};

export type TestNetworkOptions = {
  readonly engineUrl: string;
  readonly settings?: Record<string, string>;
  /** The coordinator's; fresh ones without. */
  readonly signingKeys?: string;
  readonly workerArgs?: readonly string[];
  /** The node's port, where a test has to know it first. */
  readonly nodePort?: number;
  /** Where the peers find the coordinator, where it is not at its own URL. */
  readonly coordinatorUrl?: string;
  /** Told where the coordinator listens, before the peers start. */
  readonly onCoordinator?: (url: string) => void;
};

/** A coordinator and the compiled binary as worker and as client, each a process with a home of its own. */
export async function startNetwork(options: TestNetworkOptions): Promise<TestNetwork> {
  const binary = await troopBinary();
  const coordinator = await startTestCoordinator(options.settings, options.signingKeys);
  options.onCoordinator?.(coordinator.url);
  const coordinatorUrl = options.coordinatorUrl ?? coordinator.url;
  const folder = await mkdtemp(join(tmpdir(), "troop-network-"));
  const started: Troop[] = [];
  const stop = async () => {
    for (const { process } of started.toReversed()) {
      process.kill("SIGTERM");
      await process.exited;
    }
    await coordinator.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const start = async (name: string, args: readonly string[]): Promise<Troop> => {
    const home = join(folder, name);
    const troop = await startTroop(binary, home, [...args, "--coordinator", coordinatorUrl]);
    started.push(troop);
    return troop;
  };
  const run = (home: string, args: readonly string[]) =>
    runTroop(binary, home, [...args, "--coordinator", coordinatorUrl]);
  try {
    const worker = await start("worker", [
      "worker",
      // Whoever runs the tests uses the machine.
      "--policy",
      "always",
      "--listen",
      `127.0.0.1:${options.nodePort ?? 0}`,
      "--engine",
      options.engineUrl,
      ...(options.workerArgs ?? []),
    ]);
    const client = await start("client", ["client", "--port", "0", "--no-local"]);
    const balanceOf = async ({ home }: Troop) => Balance.parse(await run(home, ["balance"]));
    return { baseUrl: client.url, coordinator, worker, client, run, balanceOf, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** Starts a serving command and waits until it says where it listens. */
export async function startTroop(
  binary: string,
  home: string,
  args: readonly string[],
): Promise<Troop> {
  const process = Bun.spawn([binary, ...args, "--home", home], {
    env: cleanEnv(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = drain(process.stderr);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of process.stdout) {
    text += decoder.decode(chunk, { stream: true });
    const url = /http:\/\/\S+/.exec(text)?.[0];
    if (url !== undefined && text.includes("\n")) {
      return { home, process, url: url.replace(/\/v1\/?$/, "").replace(/[.,)]$/, "") };
    }
  }
  throw new Error(`troop ${args[0]} ended before it was ready: ${await said}`);
}

export async function runTroop(
  binary: string,
  home: string,
  args: readonly string[],
): Promise<unknown> {
  const process = Bun.spawn([binary, ...args, "--home", home, "--json"], {
    env: cleanEnv(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [code, out, err] = await Promise.all([
    process.exited,
    new Response(process.stdout).text(),
    new Response(process.stderr).text(),
  ]);
  if (code !== 0) throw new Error(`troop ${args[0]} ended with ${code}: ${err}`);
  return JSON.parse(out) as unknown;
}

/** A pipe that nobody reads would stop the process once it is full. */
async function drain(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) text = (text + decoder.decode(chunk)).slice(-4_000);
  return text;
}

function cleanEnv(): Record<string, string> {
  return { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent" };
}
