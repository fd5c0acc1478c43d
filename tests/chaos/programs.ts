import { fileURLToPath } from "node:url";
import { freePort } from "#support/free-port";
import { troopBinary } from "#support/troop-binary";
import { type Killable, startKillable } from "./killable";

const SELF_HOST = fileURLToPath(import.meta.resolve("#self-host/main"));

/** A coordinator as `npm run self-host` runs it, generous to newcomers. */
export async function startCoordinatorProgram(
  dataDir: string,
  env: Record<string, string>,
): Promise<Killable> {
  const port = String(await freePort());
  return startKillable({
    name: "coordinator",
    command: [process.execPath, SELF_HOST, "--port", port, "--data", dataDir],
    env: { STARTER_CREDITS: "1000000", ALLOWED_RANGES: "127.0.0.0/8", ...env },
  });
}

/** The compiled binary as a worker, on one port for all of its lives. */
export async function startWorkerProgram(
  name: string,
  home: string,
  engineUrl: string,
  args: readonly string[],
): Promise<Killable> {
  const listen = `127.0.0.1:${await freePort()}`;
  const where = ["--engine", engineUrl, "--listen", listen, "--home", home];
  const command = [await troopBinary(), "worker", "--policy", "always", ...where, ...args];
  return startKillable({ name, command, env: {} });
}

export async function startClientProgram(home: string, args: readonly string[]): Promise<Killable> {
  const port = String(await freePort());
  const where = ["--port", port, "--home", home];
  const command = [await troopBinary(), "client", "--no-local", ...where, ...args];
  return startKillable({ name: "client", command, env: {} });
}
