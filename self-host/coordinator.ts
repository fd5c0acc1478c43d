import { join } from "node:path";
import { Miniflare } from "miniflare";
import { ConfigError, parseConfig } from "#coordinator/config";
import { AUDIT_CRON, DRAIN_CRON, SWEEP_CRON } from "#coordinator/crons";
import { coordinatorBundle } from "./bundle";
import type { TrustedProxies } from "./client-address";
import { startFront } from "./front";
import { keptSecret } from "./kept-secret";
import { migrate } from "./migrate";
import { SelfHostError } from "./self-host-error";
import { makeSigningKeys } from "./signing-keys";
import { keepSignals } from "./own-signals";
import { ADMIN_PASSWORD_FILE, removeRunningFile, writeRunningFile } from "./running-file";
import { newSecret } from "./secret";
import { openStores } from "./stores";
import { straightToStores } from "./straight-to-stores";

/** Milliseconds between runs of the cron that moves credits which are due; Cloudflare's does the same. */
const SWEEP_MS = 5 * 60_000;
/** Milliseconds that what runs behind answers has to end at an orderly stop. */
const DRAIN_MS = 10_000;
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
  /** Whom to believe about where a request came from, where a proxy stands in front. */
  readonly proxies?: TrustedProxies | undefined;
  /** Milliseconds added to each store's answers, for measuring. */
  readonly addLatencyMs?: number;
  /** Told what is being done, for people who wait. */
  readonly say?: (line: string) => void;
};

export type RunningCoordinator = {
  readonly url: string;
  /** Runs the crons now: what moves credits that are due, and the audit of the ledger. */
  readonly sweep: () => Promise<void>;
  readonly audit: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** The coordinator under Miniflare: the bundle of `wrangler deploy`, over embedded or real stores. */
export async function startCoordinator(options: CoordinatorOptions): Promise<RunningCoordinator> {
  const say = options.say ?? (() => undefined);
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
      SIGNING_KEYS: await keptSecret(options.dataDir, "signing-keys.json", makeSigningKeys),
      DATABASE_URL: stores.databaseUrl,
      DATABASE_FETCH_ENDPOINT: stores.databaseFetchEndpoint,
      UPSTASH_REDIS_REST_URL: stores.redisRestUrl,
      UPSTASH_REDIS_REST_TOKEN: stores.redisRestToken,
    };
    const settings = {
      ADMIN_PASSWORD: await keptSecret(options.dataDir, ADMIN_PASSWORD_FILE, newSecret),
      ...options.settings,
      ...secrets,
    };
    checkSettings({ PUBLIC_URL: "http://127.0.0.1", ...settings });

    say("Starting the coordinator …");
    const runtime = { url: new URL("http://127.0.0.1") };
    const front = startFront({
      host: options.host,
      port: options.port,
      runtime,
      proxies: options.proxies,
    });
    closers.unshift(front.stop);
    const { miniflare, url } = await keepSignals(async () => {
      const started = new Miniflare({
        name: "coordinator",
        ...straightToStores(script),
        compatibilityDate: "2026-07-01",
        compatibilityFlags: ["nodejs_compat"],
        host: "127.0.0.1",
        port: 0,
        cf: false,
        // Straight to the bundle: Miniflare's own worker in front of it is for developers, and costs each call 0.3 ms.
        unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        durableObjects: { RATE_WINDOW: { className: "RateWindow", useSQLite: true } },
        durableObjectsPersist: join(options.dataDir, "rate-windows"),
        bindings: {
          PUBLIC_URL: front.url,
          PUBLIC_URL_ALIASES: aliasesOf(front.url).join(","),
          ...settings,
        },
      });
      await started.ready;
      return { miniflare: started, url: await started.unsafeGetDirectURL() };
    });
    runtime.url = url;
    const runCron = (cron: string) => async () => {
      const worker = await miniflare.getWorker();
      const { outcome } = await worker.scheduled({ cron });
      if (outcome !== "ok") throw new Error(`A cron ended with: ${outcome}.`);
    };
    const [sweep, audit] = [runCron(SWEEP_CRON), runCron(AUDIT_CRON)];
    // Behind the front, through which nothing comes any more: what runs behind answers ends before the stores close.
    const drain = () => within(DRAIN_MS, runCron(DRAIN_CRON)());
    closers.splice(1, 0, drain, () => miniflare.dispose());
    const timer = startTimer(sweep, audit, say);
    closers.unshift(async () => clearInterval(timer));
    writeRunningFile(options.dataDir, front.url);
    closers.unshift(async () => removeRunningFile(options.dataDir));
    return { url: front.url, sweep, audit, stop };
  } catch (cause) {
    await stop();
    throw cause;
  }
}

/** Waits so long and no longer; what fails by then is in the log. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work.catch(() => undefined), limit]);
  clearTimeout(timer);
}

/** Both crons from one timer; the audit when a new day has begun, by UTC as on Cloudflare. */
function startTimer(
  sweep: () => Promise<void>,
  audit: () => Promise<void>,
  say: (line: string) => void,
): NodeJS.Timeout {
  const today = () => new Date().toISOString().slice(0, 10);
  let auditedOn = today();
  return setInterval(() => {
    void sweep().catch(() => say("A sweep failed."));
    if (today() === auditedOn) return;
    auditedOn = today();
    void audit().catch(() => say("The audit of the ledger failed."));
  }, SWEEP_MS);
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
