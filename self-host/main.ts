import { parseArgs } from "node:util";
import { resolve } from "node:path";
import { isRange } from "#protocol/address-ranges";
import type { TrustedProxies } from "./client-address";
import { startCoordinator } from "./coordinator";
import { SelfHostError } from "./self-host-error";

const USAGE = `Runs a coordinator on this machine.

  npm run self-host -- [--port 8787] [--host 127.0.0.1] [--data .troop/coordinator]

  DATABASE_URL=postgres://…  use this Postgres instead of the embedded one
  REDIS_URL=redis://…        use this Redis instead of the embedded one
  PUBLIC_URL=https://…       the URL that peers are given, where it is not http://HOST:PORT
  ALLOWED_RANGES, STARTER_CREDITS, REGISTRATIONS_PER_HOUR, ADMIN_PASSWORD,
  AUDIT_RETENTION_DAYS, AUDIT_ADDRESSES, MODEL_ALIASES: see docs/operators.md
  TRUSTED_PROXIES=127.0.0.1/32    CIDR ranges of proxies in front of it, with commas between them, and
  PROXY_HEADER=x-forwarded-for    the header in which they say who called them; no other such header is believed
`;

const SETTINGS = [
  "PUBLIC_URL",
  "PUBLIC_URL_ALIASES",
  "ALLOWED_RANGES",
  "STARTER_CREDITS",
  "REGISTRATIONS_PER_HOUR",
  "ADMIN_PASSWORD",
  "AUDIT_RETENTION_DAYS",
  "AUDIT_ADDRESSES",
  "MODEL_ALIASES",
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8787" },
      host: { type: "string", default: "127.0.0.1" },
      data: { type: "string", default: ".troop/coordinator" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return;
  }
  const port = Number(values.port);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new SelfHostError("--port must be a number from 0 to 65535", "For example: --port 8787");
  }
  const coordinator = await startCoordinator({
    dataDir: resolve(values.data),
    host: values.host,
    port,
    databaseUrl: process.env.DATABASE_URL,
    redisUrl: process.env.REDIS_URL,
    proxies: trustedProxies(process.env),
    settings: Object.fromEntries(
      SETTINGS.flatMap((name) =>
        process.env[name] === undefined ? [] : [[name, process.env[name]]],
      ),
    ),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`The coordinator listens on ${coordinator.url}\n`);
  await stopSignal();
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

function stopSignal(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(1)); // A second one does not wait.
        done();
      });
    }
  });
}

try {
  await main();
  process.exit(0);
} catch (cause) {
  const known = cause instanceof SelfHostError;
  process.stderr.write(`${cause instanceof Error ? cause.message : "Something failed."}\n`);
  if (known) process.stderr.write(`${cause.hint}\n`);
  process.exit(known ? 1 : 70);
}
