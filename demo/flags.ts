import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { SelfHostError } from "#self-host/self-host-error";

export const USAGE = `Brings up a whole network on this machine: a coordinator, a worker and a client.

  npm start -- [--port 9000] [--coordinator-port 8787] [--data .troop] [--fresh]

  --port N               port of the OpenAI endpoint
  --coordinator-port N   port of the coordinator
  --data DIR             folder for the data of all three
  --fresh                begin with an empty data folder
`;

export type StartFlags = {
  readonly port: number;
  readonly coordinatorPort: number;
  readonly dataDir: string;
  readonly fresh: boolean;
  readonly help: boolean;
};

/** Throws `SelfHostError` for a flag that is unknown or wrong. */
export function parseFlags(args: string[]): StartFlags {
  const values = readArgs(args);
  const port = portOf("--port", values.port);
  const coordinatorPort = portOf("--coordinator-port", values["coordinator-port"]);
  if (port !== 0 && port === coordinatorPort) {
    throw new SelfHostError(
      "--port and --coordinator-port are the same",
      "Choose another port for one of them.",
    );
  }
  return {
    port,
    coordinatorPort,
    dataDir: resolve(values.data),
    fresh: values.fresh,
    help: values.help,
  };
}

function readArgs(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: "string", default: "9000" },
        "coordinator-port": { type: "string", default: "8787" },
        data: { type: "string", default: ".troop" },
        fresh: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message.split(". ")[0] : "a flag is wrong";
    throw new SelfHostError(message ?? "", "See npm start -- --help", { cause });
  }
}

function portOf(flag: string, text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new SelfHostError(`${flag} must be a number from 0 to 65535`, `For example: ${flag} 9001`);
}
