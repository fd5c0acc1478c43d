import { resolve } from "node:path";
import { portOf, readFlags } from "#self-host/flags";
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

const FLAGS = {
  port: { type: "string", default: "9000" },
  "coordinator-port": { type: "string", default: "8787" },
  data: { type: "string", default: ".troop" },
  fresh: { type: "boolean", default: false },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** Throws `SelfHostError` for a flag that is unknown or wrong. */
export function parseFlags(args: string[]): StartFlags {
  const values = readFlags(args, FLAGS, "npm start -- --help");
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
