import { createHash } from "node:crypto";
import { closeSync, copyFileSync, existsSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PGlite } from "@electric-sql/pglite";
import { lockFolder } from "./data-lock";
import { CopiedMemoryFs, DurableNodeFs } from "./pglite-fs";
import { SelfHostError } from "./self-host-error";

export type ClusterOptions = {
  /** Folder of the cluster; null keeps it in memory. */
  readonly folder: string | null;
  /** Where an empty cluster is kept, so that only the first start on a machine waits for initdb. */
  readonly cacheFolder: string;
  /** Whether a commit waits for the disk. */
  readonly fsync: boolean;
};

/** How long to wait for another process that makes the empty cluster; it takes seconds. */
const CACHE_WAIT_MS = 60_000;

/** Small segments make a small empty cluster: 30 MB instead of 39. */
const INITDB_ARGUMENTS = ["--wal-segsize=1", "--no-instructions", "--no-sync"];

/** Nobody makes databases here: without these a cluster has a third of its files to copy and to sync. */
const DROP_TEMPLATES = [
  "update pg_database set datistemplate = false",
  "drop database template0",
  "drop database template1",
];

/** One connection needs little: this halves the memory of PGlite's defaults (160 MB instead of 290). */
const SMALL = setting({
  shared_buffers: "16MB",
  wal_buffers: "1MB",
  max_connections: "5",
  wal_level: "minimal",
  max_wal_senders: "0",
});

/**
 * Opens the cluster, and makes it first where there is none.
 *
 * @param syncFile what a commit waits for, where `fsync` is asked for.
 */
export async function openCluster(
  options: ClusterOptions,
  syncFile: (fd: number) => void = fsyncSync,
): Promise<PGlite> {
  const { folder, cacheFolder, fsync } = options;
  if (folder === null) {
    const empty = await emptyCluster(cacheFolder);
    return PGlite.create({
      startParams: [...PGlite.defaultStartParams, ...SMALL],
      ...(empty === null
        ? { initDbStartParams: INITDB_ARGUMENTS }
        : { fs: new CopiedMemoryFs(empty) }),
    });
  }
  if (!existsSync(folder)) await createCluster(options, folder);
  if (!fsync) return openUnsynced(folder);
  return PGlite.create({
    fs: new DurableNodeFs(folder, syncFile),
    startParams: [
      ...PGlite.defaultStartParams.filter((parameter) => parameter !== "-F"),
      ...SMALL,
      ...setting({ wal_sync_method: "fsync" }),
    ],
  });
}

/** A folder is a whole cluster or is not there: it gets its name last. */
async function createCluster(options: ClusterOptions, folder: string): Promise<void> {
  const unfinished = `${folder}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  const empty = await emptyCluster(options.cacheFolder);
  if (empty === null) await initialise(unfinished);
  else copyFolder(empty, unfinished);
  if (options.fsync) syncFolder(unfinished);
  renameSync(unfinished, folder);
  if (options.fsync) syncPath(dirname(folder));
}

/** The folder of an empty cluster, made on first use; null where the cache cannot be written. */
async function emptyCluster(cacheFolder: string): Promise<string | null> {
  const folder = join(cacheFolder, `empty-${engineKey()}`);
  if (existsSync(folder)) return folder;
  try {
    const lock = lockFolder(cacheFolder, CACHE_WAIT_MS);
    try {
      if (!existsSync(folder)) {
        const unfinished = `${folder}.new`;
        rmSync(unfinished, { recursive: true, force: true });
        await initialise(unfinished);
        renameSync(unfinished, folder);
      }
      return folder;
    } finally {
      lock.release();
    }
  } catch (error) {
    // A cache is only for speed: without one every new cluster runs its own initdb.
    if (error instanceof SelfHostError) return null;
    throw error;
  }
}

/** Runs initdb, and shuts down cleanly so that no copy starts with a recovery. */
async function initialise(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const pglite = await openUnsynced(folder);
  for (const statement of DROP_TEMPLATES) await pglite.exec(statement);
  await pglite.close();
}

function openUnsynced(folder: string): Promise<PGlite> {
  return PGlite.create({
    dataDir: folder,
    startParams: [...PGlite.defaultStartParams, ...SMALL],
    initDbStartParams: INITDB_ARGUMENTS,
  });
}

/** Changes with the engine and with how it is set up. */
function engineKey(): string {
  const entry = createRequire(import.meta.url).resolve("@electric-sql/pglite");
  const manifest = readFileSync(join(dirname(entry), "..", "package.json"));
  const hash = createHash("sha256")
    .update(manifest)
    .update(JSON.stringify([INITDB_ARGUMENTS, DROP_TEMPLATES]));
  return hash.digest("hex").slice(0, 16);
}

function copyFolder(from: string, to: string): void {
  mkdirSync(to, { mode: 0o700 });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    if (entry.isDirectory()) copyFolder(join(from, entry.name), join(to, entry.name));
    else copyFileSync(join(from, entry.name), join(to, entry.name));
  }
}

function syncFolder(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) syncFolder(path);
    else syncPath(path);
  }
  syncPath(folder);
}

function syncPath(path: string): void {
  const fd = openSync(path, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function setting(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}
