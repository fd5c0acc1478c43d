import { neon, neonConfig } from "@neondatabase/serverless";
import { Redis } from "@upstash/redis/cloudflare";
import { drizzle, type NeonHttpDatabase } from "drizzle-orm/neon-http";
import { type Config, parseConfig } from "./config";
import { type KeyRing, openKeyRing } from "./key-ring";

/** Milliseconds that one answer of a store may take. */
const STORE_TIMEOUT_MS = 4_000;
/** Milliseconds that reading the whole ledger may take. */
const AUDIT_TIMEOUT_MS = 60_000;

/** Everything outside: made here and nowhere else. */
export type Deps = {
  readonly config: Config;
  readonly db: NeonHttpDatabase;
  /** The same database, for one long statement that begins now. */
  readonly openAuditDb: () => NeonHttpDatabase;
  readonly redis: Redis;
  readonly keys: KeyRing;
  readonly nowMs: () => number;
};

let opened: { readonly env: object; readonly deps: Promise<Deps> } | undefined;

/** The clients for this isolate; made at the first request and kept. */
export function openDeps(env: object): Promise<Deps> {
  if (opened?.env !== env) {
    const deps = makeDeps(parseConfig(env));
    // A failure is not kept: the next request tries again.
    deps.catch(() => (opened = undefined));
    opened = { env, deps };
  }
  return opened.deps;
}

async function makeDeps(config: Config): Promise<Deps> {
  if (config.databaseFetchEndpoint !== undefined) {
    neonConfig.fetchEndpoint = config.databaseFetchEndpoint;
  }
  neonConfig.fetchFunction = (url: string, init: RequestInit) =>
    fetch(url, { ...init, signal: init.signal ?? AbortSignal.timeout(STORE_TIMEOUT_MS) });
  const db = drizzle({ client: neon(config.databaseUrl) });
  return {
    config,
    db,
    openAuditDb: () => {
      const signal = AbortSignal.timeout(AUDIT_TIMEOUT_MS);
      return drizzle({ client: neon(config.databaseUrl, { fetchOptions: { signal } }) });
    },
    redis: new Redis({
      url: config.redisUrl,
      token: config.redisToken,
      enableTelemetry: false,
      automaticDeserialization: false,
      responseEncoding: false,
      retry: false,
      signal: () => AbortSignal.timeout(STORE_TIMEOUT_MS),
    }),
    keys: await openKeyRing(config.signingKeys, db, Date.now),
    nowMs: Date.now,
  };
}
