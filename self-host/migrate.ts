import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { z } from "zod";
import { openPostgresBackend } from "./backend-postgres";
import { SelfHostError } from "./self-host-error";
import { PostgresError, type SqlBackend, type SqlStatement } from "./sql-backend";

export type MigrateOptions = {
  /** Folder that `drizzle-kit generate` writes: `*.sql` and `meta/_journal.json`. */
  readonly folder: string;
} & ({ readonly backend: SqlBackend } | { readonly databaseUrl: string });

export type MigrateResult = {
  /** Names of the migrations that this call applied, in order; empty where there was nothing to do. */
  readonly applied: readonly string[];
};

/**
 * Applies the migrations that a database does not have yet, each in one transaction: a failed one
 * leaves nothing behind, and those before it stay. Two processes may do it at once.
 *
 * The files are read, and what is applied is kept in `drizzle.__drizzle_migrations`, by drizzle's rules,
 * so that drizzle-kit can go on from here and the other way round. Drizzle's own migrators are not
 * used because the one for Neon has no transaction, the others one for all, and none a lock.
 *
 * @throws SelfHostError naming the migration that failed.
 */
export async function migrate(options: MigrateOptions): Promise<MigrateResult> {
  if ("backend" in options) return applyAll(options.backend, options.folder);
  const backend = await openPostgresBackend({
    databaseUrl: options.databaseUrl,
    poolSize: 1,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  try {
    return await applyAll(backend, options.folder);
  } finally {
    await backend.close();
  }
}

/** For operators, whose tables can be large. */
const STATEMENT_TIMEOUT_MS = 600_000;

const LOCK = "select pg_advisory_xact_lock(hashtext('drizzle.__drizzle_migrations'))";
const PREPARE = [
  LOCK,
  "create schema if not exists drizzle",
  "create table if not exists drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)",
];
/** Codes of class `MT` are nobody else's. */
const ALREADY_APPLIED = "MT001";

async function applyAll(backend: SqlBackend, folder: string): Promise<MigrateResult> {
  const migrations = readFolder(folder);
  await backend.transaction(PREPARE.map(statement), { isolationLevel: "ReadCommitted" });
  const latest = await backend.query(
    statement("select max(created_at) from drizzle.__drizzle_migrations"),
  );
  const latestMs = Number(latest.rows[0]?.[0] ?? -1);

  const applied: string[] = [];
  for (const migration of migrations) {
    if (migration.createdAtMs > latestMs && (await apply(backend, migration))) {
      applied.push(migration.name);
    }
  }
  return { applied };
}

/** False where another process was faster. */
async function apply(backend: SqlBackend, migration: Migration): Promise<boolean> {
  const statements = [
    statement(LOCK),
    statement(refuseIfApplied(migration)),
    ...migration.statements.map(statement),
    {
      text: "insert into drizzle.__drizzle_migrations (hash, created_at) values ($1, $2)",
      params: [migration.hash, String(migration.createdAtMs)],
    },
  ];
  try {
    // In this isolation the second statement sees what was committed while the first waited.
    await backend.transaction(statements, { isolationLevel: "ReadCommitted" });
    return true;
  } catch (cause) {
    if (!(cause instanceof PostgresError)) throw cause;
    if (cause.fields.code === ALREADY_APPLIED) return false;
    throw new SelfHostError(
      `migration ${migration.name} failed: ${cause.message} (${cause.fields.code})`,
      "Nothing of it was applied. Has the database been changed by hand, or by a newer version?",
      { cause },
    );
  }
}

/** A batch cannot decide anything, but it can fail. */
function refuseIfApplied({ createdAtMs }: Migration): string {
  return `do $$ begin
    if exists (select from drizzle.__drizzle_migrations where created_at >= ${createdAtMs}) then
      raise exception 'already applied' using errcode = '${ALREADY_APPLIED}';
    end if;
  end $$`;
}

function statement(text: string): SqlStatement {
  return { text, params: [] };
}

type Migration = {
  readonly name: string;
  readonly createdAtMs: number;
  readonly hash: string;
  readonly statements: readonly string[];
};

const Journal = z.object({ entries: z.array(z.object({ tag: z.string() })) });

function readFolder(folder: string): Migration[] {
  try {
    const journal = Journal.parse(
      JSON.parse(readFileSync(join(folder, "meta/_journal.json"), "utf8")),
    );
    return readMigrationFiles({ migrationsFolder: folder }).map((migration, index) => ({
      name: journal.entries[index]?.tag ?? migration.hash,
      createdAtMs: z.int().parse(migration.folderMillis),
      hash: migration.hash,
      statements: migration.sql,
    }));
  } catch (cause) {
    throw new SelfHostError(
      `the migrations in ${folder} cannot be read`,
      "The folder is the one that drizzle-kit generate writes, with meta/_journal.json.",
      { cause },
    );
  }
}
