import { Database, SQLiteError } from "bun:sqlite";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SelfHostError } from "./self-host-error";

/** A database that nothing refers to is closed by the garbage collector, and its lock with it. */
const HELD = new Set<Database>();

export type FolderLock = { readonly release: () => void };

/**
 * Makes the caller the only one that uses a folder, until it releases it or its process dies.
 *
 * The lock is the one that SQLite takes on a file: the kernel drops it with its process, so a killed
 * process leaves nothing stale behind, two that start at once cannot both win, and a process id that
 * came around again is no trouble. The id in `owner.pid` is for people.
 *
 * @param waitMs how long to wait for the owner; the wait blocks this thread.
 * @throws SelfHostError where the folder stays in use, or cannot be written.
 */
export function lockFolder(folder: string, waitMs: number = 0): FolderLock {
  const ownerPath = join(folder, "owner.pid");
  let database: Database | null = null;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    database = new Database(join(folder, "lock.db"));
    database.run(`PRAGMA busy_timeout = ${waitMs}`);
    database.run("BEGIN EXCLUSIVE");
    writeFileSync(ownerPath, `${process.pid}\n`);
  } catch (cause) {
    database?.close();
    throw lockError(folder, readOwner(ownerPath), cause);
  }
  const held = database;
  HELD.add(held);
  return {
    release: () => {
      held.close();
      HELD.delete(held);
    },
  };
}

function lockError(folder: string, owner: number | null, cause: unknown): SelfHostError {
  if (cause instanceof SQLiteError && cause.code === "SQLITE_BUSY") {
    return new SelfHostError(
      `the folder ${folder} is in use${owner === null ? "" : ` by process ${owner}`}`,
      "Stop that process, or choose another folder with --data.",
      { cause },
    );
  }
  return new SelfHostError(
    `the folder ${folder} cannot be written`,
    "Check its permissions, or choose another folder with --data.",
    { cause },
  );
}

function readOwner(path: string): number | null {
  try {
    const owner = Number.parseInt(readFileSync(path, "utf8"), 10);
    return Number.isNaN(owner) ? null : owner;
  } catch {
    // The owner has the lock but has not written its id yet.
    return null;
  }
}
