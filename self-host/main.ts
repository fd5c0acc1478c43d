import { resolve } from "node:path";
import { OPERATOR_SETTINGS } from "#coordinator/config";
import { isRange } from "#protocol/address-ranges";
import type { TrustedProxies } from "./client-address";
import { startCoordinator } from "./coordinator";
import { portOf, readFlags } from "./flags";
import { SelfHostError, toldOf } from "./self-host-error";
import { stopSignal, whenAborted } from "./stop-signal";

const FLAGS = {
  port: { type: "string", default: "8787" },
  host: { type: "string", default: "127.0.0.1" },
  data: { type: "string", default: ".troop/coordinator" },
  help: { type: "boolean", short: "h", default: false },
} as const;

const USAGE = `Runs a coordinator on this machine.

  npm run self-host -- [--port 8787] [--host 127.0.0.1] [--data .troop/coordinator]

  DATABASE_URL=postgres://…  use this Postgres instead of the embedded one
  REDIS_URL=redis://…        use this Redis instead of the embedded one
  PUBLIC_URL=https://…       the URL that peers are given, where it is not http://HOST:PORT
  PUBLIC_URL_ALIASES, ALLOWED_RANGES, STARTER_CREDITS, STARTER_NEEDS_HARDWARE, JOIN_POLICY, REGISTRATIONS_PER_HOUR,
  AUDIT_RETENTION_DAYS, AUDIT_ADDRESSES, MODEL_ALIASES, ADMIN_PASSWORD: see docs/operators.md
  TRUSTED_PROXIES=127.0.0.1/32    CIDR ranges of proxies in front of it, with commas between them, and
  PROXY_HEADER=x-forwarded-for    the header in which they say who called them; no other such header is believed
`;

async function main(): Promise<void> {
  const flags = readFlags(process.argv.slice(2), FLAGS, "npm run self-host -- --help");
  if (flags.help) {
    process.stdout.write(USAGE);
    return;
  }
  const { signal } = stopSignal(["SIGINT", "SIGTERM"]);
  const coordinator = await startCoordinator({
    dataDir: resolve(flags.data),
    host: flags.host,
    port: portOf("--port", flags.port),
    databaseUrl: process.env.DATABASE_URL,
    redisUrl: process.env.REDIS_URL,
    proxies: trustedProxies(process.env),
    settings: Object.fromEntries(
      OPERATOR_SETTINGS.flatMap((name) =>
        process.env[name] === undefined ? [] : [[name, process.env[name]]],
      ),
    ),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  if (!signal.aborted) process.stdout.write(`The coordinator listens on ${coordinator.url}\n`);
  await whenAborted(signal);
  process.stderr.write("Stopping …\n");
  await coordinator.stop();
}

function trustedProxies(env: NodeJS.ProcessEnv): TrustedProxies | undefined {
  const given = env.TRUSTED_PROXIES;
  if (given === undefined || given === "") return undefined;
  const ranges = given.split(",").map((range) => range.trim());
  const header = (env.PROXY_HEADER ?? "x-forwarded-for").toLowerCase();
  if (!ranges.every(isRange) || !/^[a-z0-9-]+$/.test(header)) {
    throw new SelfHostError(
      "TRUSTED_PROXIES must be CIDR ranges, and PROXY_HEADER the name of a header",
      "For example: TRUSTED_PROXIES=127.0.0.1/32 PROXY_HEADER=x-forwarded-for",
    );
  }
  return { ranges, header };
}

try {
  await main();
  process.exit(0);
} catch (cause) {
  process.stderr.write(toldOf(cause));
  process.exit(cause instanceof SelfHostError ? 1 : 70);
}
