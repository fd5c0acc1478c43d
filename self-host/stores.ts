import { join } from "node:path";
import { openPgliteBackend } from "./backend-pglite";
import { openPostgresBackend } from "./backend-postgres";
import { lockFolder } from "./data-lock";
import { serveNeonHttp } from "./neon-http";
import { openRedisLink, type RedisLink } from "./redis-link";
import { newSecret } from "./secret";
import type { SqlBackend } from "./sql-backend";
import { serveUpstashHttp } from "./upstash-http";

export type StoresOptions = {
  /** Folder of the embedded Postgres, locked while the stores are open. Without one it is in memory. */
  readonly dataDir?: string | undefined;
  /** `postgres://` URL of a real Postgres, in place of the embedded one. */
  readonly databaseUrl?: string | undefined;
  /** `redis://` URL of a real Redis, in place of the embedded one. */
  readonly redisUrl?: string | undefined;
  /** What the coordinator authenticates with; letters, digits, `-` and `_`. Default: a random one. */
  readonly token?: string | undefined;
  /** Delays every answer of both stores; for benchmarks that count round trips. */
  readonly addLatencyMs?: number | undefined;
  /** Default true: an acknowledged commit of the embedded Postgres survives a power cut. */
  readonly fsync?: boolean | undefined;
  /** Limit for each statement; default 10 s. */
  readonly statementTimeoutMs?: number | undefined;
  /** Limit for each Redis command; default 5 s. */
  readonly commandTimeoutMs?: number | undefined;
  /** Connections to a real Postgres; default 10. */
  readonly poolSize?: number | undefined;
  /** Hears of errors that no request is told about. They hold no statements and no values. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

export type Stores = {
  /** For `neon()`. Only its password counts; the place to ask is `databaseFetchEndpoint`. */
  readonly databaseUrl: string;
  /** For `neonConfig.fetchEndpoint`. */
  readonly databaseFetchEndpoint: string;
  /** For `new Redis({ url, token })` of `@upstash/redis`. */
  readonly redisRestUrl: string;
  readonly redisRestToken: string;
  readonly kinds: { readonly database: SqlBackend["kind"]; readonly redis: RedisLink["kind"] };
  /** The database behind the endpoint, for migrations. */
  readonly sql: SqlBackend;
  /** Ends requests in progress, shuts the embedded Postgres down cleanly and unlocks the folder. */
  readonly close: () => Promise<void>;
};

/**
 * Opens both stores and an HTTP endpoint for each on 127.0.0.1, speaking Neon's and Upstash's protocols.
 *
 * @throws SelfHostError where the operator can put it right: the folder is in use, a server is down.
 */
export async function openStores(options: StoresOptions = {}): Promise<Stores> {
  const { dataDir, addLatencyMs, onError } = options;
  const secret = options.token ?? newSecret();
  const lock = dataDir === undefined ? null : lockFolder(dataDir);

  const opening = [openDatabase(options), openRedisLink(options)] as const;
  const [sql, link] = await Promise.all(opening).catch(async (error: unknown) => {
    const [database, redis] = await Promise.allSettled(opening);
    if (database.status === "fulfilled") await database.value.close();
    if (redis.status === "fulfilled") redis.value.close();
    lock?.release();
    throw error;
  });
  const server = { secret, addLatencyMs, onError };
  const neon = serveNeonHttp(sql, server);
  const upstash = serveUpstashHttp(link.redis, server);

  return {
    databaseUrl: `postgres://coordinator:${secret}@127.0.0.1/coordinator`,
    databaseFetchEndpoint: `${neon.origin}/sql`,
    redisRestUrl: upstash.origin,
    redisRestToken: secret,
    kinds: { database: sql.kind, redis: link.kind },
    sql,
    close: async () => {
      await Promise.all([neon.close(), upstash.close()]);
      link.close();
      await sql.close();
      lock?.release();
    },
  };
}

function openDatabase(options: StoresOptions): Promise<SqlBackend> {
  const { databaseUrl, dataDir, fsync, statementTimeoutMs, poolSize, onError } = options;
  if (databaseUrl !== undefined) {
    return openPostgresBackend({ databaseUrl, poolSize, statementTimeoutMs });
  }
  const folder = dataDir === undefined ? null : join(dataDir, "postgres");
  return openPgliteBackend({ folder, fsync, statementTimeoutMs, onError });
}
