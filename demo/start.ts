import { relative } from "node:path";
import { keepOffProxy } from "#peer/engines/keep-off-proxy";
import { toldOf } from "#self-host/self-host-error";
import { stopSignal, whenAborted } from "#self-host/stop-signal";
import { prepareDataFolder } from "./data-folder";
import { findEngines, type LentEngines } from "./engines";
import { parseFlags, USAGE } from "./flags";
import { type Network, startNetwork } from "./network";
import { requireFreePort } from "./ports";

const PARENT_CHECK_MS = 1_000;
const say = (line: string) => void process.stderr.write(`  ${line}\n`);

async function main(): Promise<void> {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { signal, stop } = stopSignal(["SIGINT", "SIGTERM", "SIGHUP"]);
  // npm, when it is killed, does not say so to what it started.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && stop(), PARENT_CHECK_MS).unref();
  requireFreePort(flags.port, "--port");
  requireFreePort(flags.coordinatorPort, "--coordinator-port");
  prepareDataFolder(flags.dataDir, flags.fresh);
  keepOffProxy(process.env, []);

  process.stderr.write("Starting Monkey Troop …\n");
  const engines = await findEngines(process.env);
  const network = await startNetwork({
    dataDir: flags.dataDir,
    coordinatorPort: flags.coordinatorPort,
    clientPort: flags.port,
    engines: engines.urls,
    env: process.env,
    say,
  });
  if (!signal.aborted) {
    process.stdout.write(describe(network, engines, await firstModel(network)));
    await Promise.race([whenAborted(signal), network.ended]);
  }
  process.stderr.write("\nStopping …\n");
  await network.stop();
  await engines.stop();
}

function describe(network: Network, engines: LentEngines, model: string): string {
  const balance = (home: string) =>
    `npm run -s troop -- balance --home ${quoted(relative(process.cwd(), home) || home)}`;
  const body = JSON.stringify({
    model,
    stream: true,
    messages: [{ role: "user", content: "Hello" }],
  });
  return `
Monkey Troop runs on this machine: a coordinator, a worker and a client.

  Engine     ${engines.isDemo ? "the built-in demo engine, since no other answers here: no model is running" : engines.names.join(", ")}
  Endpoint   ${network.endpoint}

Try it:
  curl -N ${network.endpoint}/chat/completions -H 'content-type: application/json' -d '${body.replaceAll("'", `'\\''`)}'

Credits of the client, which pays, and of the worker, which earns:
  ${balance(network.homes.client)}
  ${balance(network.homes.worker)}

Where to look next: README.md. Ctrl-C stops all of it.
`;
}

/** As one word for a shell. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
}

/** A model that the endpoint lists, for the example. */
async function firstModel(network: Network): Promise<string> {
  const answer = await fetch(`${network.endpoint}/models`);
  const { data } = (await answer.json()) as { data: { id: string }[] };
  return data.find(({ id }) => !id.includes("embed"))?.id ?? data[0]?.id ?? "MODEL";
}

try {
  await main();
  process.exit(0);
} catch (cause) {
  process.stderr.write(toldOf(cause));
  process.exit(1);
}
