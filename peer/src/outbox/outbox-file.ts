import { Database } from "bun:sqlite";
import { join } from "node:path";
import { CliError, EXIT } from "../cli/error";
import { type Journal, NO_JOURNAL, openJournal, readJournal } from "./journal";
import { type Left, leftIn } from "./journal-lines";

/** Whose outbox it is. Each has a file of its own, so that a worker and a client can share a home. */
export type OutboxOwner = "worker" | "client";

/** `state`: 0 where the request ran when the process was killed, 1 where its item can be sent. `claims`: JSON. */
const SCHEMA = `
  CREATE TABLE items (
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
  PRAGMA user_version = 2;
`;
/** By the version that a file has. */
const STEPS: Readonly<Record<number, string>> = {
  0: SCHEMA,
  1: "ALTER TABLE receipts RENAME TO items; PRAGMA user_version = 2;",
};

const HELD = { worker: "receipts", client: "acks" } as const;
/** `troop status` reads along, and holds nothing up for longer than this. */
const BUSY_MS = 2_000;

export function outboxPath(homeDir: string, owner: OutboxOwner): string {
  return join(homeDir, `${owner}-outbox.sqlite`);
}

/** What this run does is noted in this file first. */
export function journalPath(homeDir: string, owner: OutboxOwner): string {
  return join(homeDir, `${owner}-outbox.journal`);
}

export type OutboxFile = {
  /** What earlier runs left, and what is too much to be kept in memory. */
  readonly database: Database;
  /** Of this run, and of it alone. */
  readonly journal: Journal;
  close(): void;
};

/**
 * Opens the files, made first where they are not there. What is in them survives a crash of the process (not of the
 * machine: an fsync a request would cost more than the request). Throws `CliError`.
 */
export function openOutboxFile(homeDir: string, owner: OutboxOwner): OutboxFile {
  const path = outboxPath(homeDir, owner);
  const opened: Database[] = [];
  const open = (name: string): Database => {
    const database = new Database(name, { create: true, strict: true });
    opened.push(database);
    return database;
  };
  const close = (): void => {
    for (const database of opened.toReversed()) database.close();
  };
  try {
    // Held for good: a second one on this home would take the first one's requests for lost. It is no lock on the file
    // itself, which `troop status` reads.
    open(join(homeDir, `${owner}-outbox.lock`)).run("BEGIN EXCLUSIVE");
    const database = open(path);
    database.run(`PRAGMA busy_timeout = ${BUSY_MS}`);
    database.run("PRAGMA journal_mode = WAL");
    database.run("PRAGMA synchronous = NORMAL");
    // In pages of 4 KiB; a checkpoint waits for the disk, so there should be few.
    database.run("PRAGMA wal_autocheckpoint = 4000");
    bringUp(database);
    const journalFile = journalPath(homeDir, owner);
    adopt(database, leftIn(readJournal(journalFile)));
    const journal = openJournal(journalFile);
    return {
      database,
      journal,
      close() {
        journal.close();
        close();
      },
    };
  } catch (cause) {
    close();
    throw explained(cause, path, owner);
  }
}

/** For who cannot have the file: what is in it ends with the process. */
export function openOutboxInMemory(): OutboxFile {
  const database = new Database(":memory:", { strict: true });
  bringUp(database);
  return { database, journal: NO_JOURNAL, close: () => database.close() };
}

function bringUp(database: Database): void {
  database.transaction(() => {
    const version = database.query<{ user_version: number }, []>("PRAGMA user_version").get();
    const step = STEPS[version?.user_version ?? 0];
    if (step !== undefined) database.run(step);
  })();
}

/** What is in there already is the same: a run never gives an id to two items, nor one that it found. */
function adopt(database: Database, { items, aliveMs }: Left): void {
  if (items.size === 0) return;
  const insert = database.query<unknown, [number, string, string, string, number]>(
    "INSERT OR IGNORE INTO items (id, coordinator, ticket, claims, state) VALUES (?, ?, ?, ?, ?)",
  );
  const beat = database.query<unknown, [number]>(
    "INSERT INTO alive (id, at_ms) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET at_ms = excluded.at_ms",
  );
  database.transaction(() => {
    for (const [id, { coordinator, ticket, claims, isOpen }] of items) {
      insert.run(id, coordinator, ticket, JSON.stringify(claims), isOpen ? 0 : 1);
    }
    if (aliveMs !== undefined) beat.run(aliveMs);
  })();
}

function explained(cause: unknown, path: string, owner: OutboxOwner): unknown {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (code.startsWith("SQLITE_BUSY")) {
    return new CliError(
      EXIT.failed,
      `A ${owner} runs with this home already.`,
      "Stop it first, or give this one a home of its own: --home DIR",
      { cause },
    );
  }
  if (code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT")) {
    return new CliError(
      EXIT.failed,
      `The file ${path} is damaged; it holds ${HELD[owner]} that were not sent yet.`,
      "Move it away to go on without them.",
      { cause },
    );
  }
  if (code === "") return cause;
  return new CliError(
    EXIT.failed,
    `The file ${path} cannot be used (${code}).`,
    "Make its folder writable for this user, or make room on the disk.",
    { cause },
  );
}
