import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MemoryFS, PGlite } from "@electric-sql/pglite";
import { NodeFS } from "@electric-sql/pglite/nodefs";

type Init = NodeFS["init"];

/** The part of Emscripten's NODEFS that this needs; its types leave it out. */
type SyncableFs = { stream_ops: { fsync?: (stream: { nfd: number }) => number } };

/**
 * A folder on disk whose files reach the disk when Postgres asks for it.
 *
 * PGlite's own NodeFS has no fsync (and PGlite runs Postgres with `-F`): a commit survives the death
 * of the process but not of the machine, where pages and log reach the disk in any order. Emscripten
 * passes fsync, but not fdatasync, on to the file system, hence `wal_sync_method=fsync` beside this.
 */
export class DurableNodeFs extends NodeFS {
  readonly #fsync: (fd: number) => void;

  constructor(folder: string, fsync: (fd: number) => void) {
    super(folder);
    this.#fsync = fsync;
  }

  override async init(pg: Parameters<Init>[0], options: Parameters<Init>[1]): ReturnType<Init> {
    const { emscriptenOpts } = await super.init(pg, options);
    const addFsync = (module: object): void => {
      const { NODEFS } = module as { NODEFS: SyncableFs };
      NODEFS.stream_ops.fsync = (stream) => {
        this.#fsync(stream.nfd);
        return 0;
      };
    };
    return {
      emscriptenOpts: { ...emscriptenOpts, preRun: [...(emscriptenOpts.preRun ?? []), addFsync] },
    };
  }
}

/** A database in memory that starts as a copy of a cluster on disk. */
export class CopiedMemoryFs extends MemoryFS {
  readonly #folder: string;

  constructor(folder: string) {
    super();
    this.#folder = folder;
  }

  override async initialSyncFs(): Promise<void> {
    const fs = this.pg?.Module.FS;
    if (fs === undefined) throw new Error("the engine is not loaded");
    const copy = (from: string, to: string): void => {
      fs.mkdirTree(to, 0o700);
      for (const entry of readdirSync(from, { withFileTypes: true })) {
        const source = join(from, entry.name);
        const target = `${to}/${entry.name}`;
        if (entry.isDirectory()) copy(source, target);
        else fs.writeFile(target, readFileSync(source));
      }
    };
    copy(this.#folder, PGlite.paths.PGDATA);
  }
}
