import { Database } from "bun:sqlite";

const RETRY_MS = 1_000;

/**
 * Runs `work` while no other process holds the lock at this path. SQLite's file lock is used because
 * the system releases it when its holder dies in any way, so no lock is ever left behind.
 */
export async function withExclusiveLock<T>(
  path: string,
  onWait: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const lock = new Database(path, { create: true });
  try {
    for (let isFirst = true; !tryLock(lock); isFirst = false) {
      if (isFirst) onWait();
      await Bun.sleep(RETRY_MS);
    }
    return await work();
  } finally {
    lock.close();
  }
}

function tryLock(lock: Database): boolean {
  try {
    lock.run("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "SQLITE_BUSY") return false;
    throw error;
  }
}
