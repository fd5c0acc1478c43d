import { fileURLToPath } from "node:url";
import { scheduleMaintenance } from "./pglite-maintenance";
import { type PgliteThread, startPgliteThread } from "./pglite-thread";
import type { PgliteRequest } from "./pglite-worker";
import { SelfHostError } from "./self-host-error";
import { type SqlBackend, type SqlResult, SqlUnavailableError } from "./sql-backend";

export type PgliteBackendOptions = {
  /** Folder of the database, made if missing; its owner holds a lock on it. Null keeps it in memory. */
  readonly folder: string | null;
  /** Folder for what makes later starts fast; may be deleted at any time. */
  readonly cacheFolder?: string | undefined;
  /** Whether a commit waits until the disk has it. Without, it survives a killed process but no power cut. */
  readonly fsync?: boolean | undefined;
  /** Limit for each statement. */
  readonly statementTimeoutMs?: number | undefined;
  /** Hears of trouble that no caller waits for. */
  readonly onError?: ((error: unknown) => void) | undefined;
};

const CACHE_FOLDER = fileURLToPath(new URL("../.cache/postgres", import.meta.url));
const STATEMENT_TIMEOUT_MS = 10_000;

/**
 * Opens the embedded Postgres. It has one connection: statements wait for each other, and nothing
 * comes between those of a transaction.
 *
 * A statement over its limit, or a crash, costs the thread that it ran on. The next statement opens
 * the data again, as after a crash; a database in memory is then gone for good.
 *
 * @throws SelfHostError where the data cannot be opened.
 */
export async function openPgliteBackend(options: PgliteBackendOptions): Promise<SqlBackend> {
  const limitMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const cluster = {
    folder: options.folder,
    cacheFolder: options.cacheFolder ?? CACHE_FOLDER,
    fsync: options.fsync ?? true,
  };
  let thread: PgliteThread = await startPgliteThread(cluster).catch(cannotOpen(options.folder));
  let isClosed = false;
  let last: Promise<unknown> = Promise.resolve();

  const run = async (request: PgliteRequest, requestLimitMs: number): Promise<SqlResult[]> => {
    if (thread.isDead()) {
      if (options.folder === null) {
        throw new SqlUnavailableError("the database was in memory, and its thread has ended");
      }
      thread = await startPgliteThread(cluster);
    }
    return thread.request(request, requestLimitMs);
  };
  const enqueue = (request: PgliteRequest, requestLimitMs = limitMs): Promise<SqlResult[]> => {
    if (isClosed) return Promise.reject(new SqlUnavailableError("the database is closed"));
    const turn = last.then(() => run(request, requestLimitMs));
    // The caller hears of the failure; those in the queue go on.
    last = turn.catch(() => undefined);
    return turn;
  };

  const maintenance = scheduleMaintenance({
    run: async (text, maintenanceLimitMs) => {
      await enqueue({ type: "statement", statement: { text, params: [] } }, maintenanceLimitMs);
    },
    onError: options.onError ?? (() => undefined),
  });

  return {
    kind: "embedded",
    query: async (statement) => {
      maintenance.noteUse();
      const [result] = await enqueue({ type: "statement", statement });
      if (result === undefined) throw new Error("a statement gave no result");
      return result;
    },
    transaction: (statements, transactionOptions = {}) => {
      maintenance.noteUse();
      return enqueue({ type: "transaction", statements, options: transactionOptions });
    },
    close: async () => {
      if (isClosed) return;
      maintenance.stop();
      const closing = enqueue({ type: "close" });
      isClosed = true;
      // What is committed is in the log: a failed shutdown only makes the next start recover it.
      await closing.catch(options.onError ?? (() => undefined));
      await thread.kill();
    },
  };
}

function cannotOpen(folder: string | null): (cause: unknown) => never {
  return (cause) => {
    throw new SelfHostError(
      folder === null
        ? "the embedded database could not be started"
        : `the embedded database in ${folder} could not be opened`,
      "Is the disk full, or the folder another version's? Set it aside to start with an empty one.",
      { cause },
    );
  };
}
