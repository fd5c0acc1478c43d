import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { ConfigError, parseConfig } from "#coordinator/config";
import { coordinatorBundle } from "./bundle";
import { startFront } from "./front";
import { migrate } from "./migrate";
import { SelfHostError } from "./self-host-error";
import { keptSigningKeys } from "./signing-keys";
import { keepSignals } from "./own-signals";
import { openStores } from "./stores";

/** Milliseconds between sweeps that give back what ended leases have left; Cloudflare's cron does the same. */
const SWEEP_MS = 5 * 60_000;
const LOOPBACK = ["127.0.0.1", "localhost", "[::1]"];

export type CoordinatorOptions = {
  readonly dataDir: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Real servers instead of the embedded ones. */
  readonly databaseUrl?: string | undefined;
  readonly redisUrl?: string | undefined;
  /** Settings of coordinator-worker/src/config.ts, PUBLIC_URL among them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Milliseconds added to each store's answers, for measuring. */
  readonly addLatencyMs?: number;
  /** Told what is being done, for people who wait. */
  readonly say?: (line: string) => void;
};

export type RunningCoordinator = {
  readonly url: string;
  /** Runs the scheduled handler now, as a cron would. */
  readonly sweep: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** The coordinator under Miniflare: the bundle of `wrangler deploy`, over embedded or real stores. */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const say = options.say ?? (() => undefined);
  mkdirSync(options.dataDir, { recursive: true, mode: 0o700 });
  say("Opening the stores …");
  const bundling = coordinatorBundle();
  bundling.catch(() => undefined); // Awaited below, when the stores can be closed again.
  const stores = await openStores(options);
  const closers = [stores.close];
  const stop = async () => {
    for (const close of closers.splice(0)) await close();
  };
  try {
    const script = await bundling;
    say("Bringing the database up to date …");
    await migrate({
      backend: stores.sql,
      folder: join(import.meta.dirname, "../drizzle/migrations"),
    });

    const secrets = {
      SIGNING_KEYS: await keptSigningKeys(options.dataDir),
      DATABASE_URL: stores.databaseUrl,
      DATABASE_FETCH_ENDPOINT: stores.databaseFetchEndpoint,
      UPSTASH_REDIS_REST_URL: stores.redisRestUrl,
      UPSTASH_REDIS_REST_TOKEN: stores.redisRestToken,
    };
    checkSettings({ PUBLIC_URL: "http://127.0.0.1", ...options.settings, ...secrets });

    say("Starting the coordinator …");
    const runtime = { url: new URL("http://127.0.0.1") };
    const front = startFront({ host: options.host, port: options.port, runtime });
    closers.unshift(front.stop);
    const { miniflare, url } = await keepSignals(async () => {
      const started = new Miniflare({
        name: "coordinator",
        modules: true,
        script,
        compatibilityDate: "2026-07-01",
        compatibilityFlags: ["nodejs_compat"],
        host: "127.0.0.1",
        port: 0,
        cf: false,
        durableObjects: { RATE_WINDOW: { className: "RateWindow", useSQLite: true } },
        durableObjectsPersist: join(options.dataDir, "rate-windows"),
        bindings: {
          PUBLIC_URL: front.url,
          PUBLIC_URL_ALIASES: aliasesOf(front.url).join(","),
          ...options.settings,
          ...secrets,
        },
      });
      return { miniflare: started, url: await started.ready };
    });
    runtime.url = url;
    closers.splice(1, 0, () => miniflare.dispose());

    const sweep = async () => {
      const worker = await miniflare.getWorker();
      await worker.scheduled({});
    };
    const timer = setInterval(() => void sweep().catch(() => say("A sweep failed.")), SWEEP_MS);
    closers.unshift(async () => clearInterval(timer));
    return { url: front.url, sweep, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** A wrong setting stops the start instead of failing every request. */
function checkSettings(settings: Readonly<Record<string, string>>): void {
  try {
    parseConfig(settings);
  } catch (cause) {
    if (!(cause instanceof ConfigError)) throw cause;
    throw new SelfHostError(cause.message, "docs/operators.md lists the settings.", { cause });
  }
}

/** The names under which a program on this machine may know a coordinator on loopback. */
function aliasesOf(url: string): string[] {
  const { host, port } = new URL(url);
  if (!LOOPBACK.includes(new URL(url).hostname)) return [`http://${host}`];
  return LOOPBACK.map((name) => `http://${name}:${port}`);
}
