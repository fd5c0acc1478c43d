import { Database } from "bun:sqlite";
import { CliError, EXIT } from "../cli/error";

/** `state`: 0 while the request runs, 1 once its receipt can be sent. `claims`: JSON of what is known by then. */
const SCHEMA = `
  CREATE TABLE receipts (
    id INTEGER PRIMARY KEY,
    coordinator TEXT NOT NULL,
    ticket TEXT NOT NULL,
    claims TEXT NOT NULL,
    state INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE refused (
    id INTEGER PRIMARY KEY,
    coordinator TEXT NOT NULL,
    claims TEXT NOT NULL,
    code TEXT NOT NULL,
    refused_at_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE alive (id INTEGER PRIMARY KEY CHECK (id = 1), at_ms INTEGER NOT NULL) STRICT;
  PRAGMA user_version = 1;
`;

/**
 * Opens the file, made first where it is not there. What is committed survives a crash of the process (not of the
 * machine: an fsync a request would cost more than the request). Throws `CliError`.
 */
export function openOutboxFile(path: string): Database {
  let database: Database | undefined;
  try {
    database = new Database(path, { create: true, strict: true });
    // The lock is held for good: a second worker on this home would take the first one's requests for lost.
    database.run("PRAGMA locking_mode = EXCLUSIVE");
    database.run("PRAGMA journal_mode = WAL");
    database.run("PRAGMA synchronous = NORMAL");
    // In pages of 4 KiB; a checkpoint waits for the disk, so there should be few.
    database.run("PRAGMA wal_autocheckpoint = 4000");
    database.transaction((file: Database) => {
      const version = file.query<{ user_version: number }, []>("PRAGMA user_version").get();
      if (version?.user_version === 0) file.run(SCHEMA);
    })(database);
    return database;
  } catch (cause) {
    database?.close();
    throw explained(cause, path);
  }
}

function explained(cause: unknown, path: string): unknown {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code.startsWith("SQLITE_BUSY")) {
    return new CliError(
      EXIT.failed,
      "A worker runs with this home already.",
      "Stop it first, or give this one a home of its own: --home DIR",
      { cause },
    );
  }
  if (code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT")) {
    return new CliError(
      EXIT.failed,
      `The file ${path} is damaged; it holds receipts that were not sent yet.`,
      "Move it away to go on without them.",
      { cause },
    );
  }
  if (!code.startsWith("SQLITE_")) return cause;
  return new CliError(
    EXIT.failed,
    `The file ${path} cannot be used (${code}).`,
    "Make its folder writable for this user, or make room on the disk.",
    { cause },
  );
}
