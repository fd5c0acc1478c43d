import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readMigrationFiles } from "drizzle-orm/migrator";
import { describe, expect, it, onTestFinished } from "vitest";
import { migrate } from "#self-host/migrate";
import { SelfHostError } from "#self-host/self-host-error";
import type { SqlBackend } from "#self-host/sql-backend";
import { databases } from "./databases";
import { temporaryFolder } from "./folders";

const TABLES = `create table "people" ("id" serial primary key, "name" text not null);
--> statement-breakpoint
-- A comment; with a semicolon.
create function shout(t text) returns text language plpgsql as $$
begin
  return upper(t) || '!;'; -- and '$' inside
end $$;
--> statement-breakpoint
insert into people (name) values (shout('ann'));
`;
const COLUMN = "alter table people add column age int default 7;\n--> statement-breakpoint\n";
const BROKEN = `create table half (id int);
--> statement-breakpoint
insert into people (nothing) values (1);
`;

/** Long enough that others come to it meanwhile. */
const SLOW = `select pg_sleep(0.5);
--> statement-breakpoint
create table slow (id int);
`;

/** Writes what `drizzle-kit generate` writes, as far as migrators read it. */
function writeMigrations(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, "meta"), { recursive: true });
  for (const [tag, text] of Object.entries(files)) writeFileSync(join(folder, `${tag}.sql`), text);
  const entries = Object.keys(files).map((tag, idx) => ({
    idx,
    version: "7",
    when: 1_900_000_000_000 + idx,
    tag,
    breakpoints: true,
  }));
  const journal = { version: "7", dialect: "postgresql", entries };
  writeFileSync(join(folder, "meta/_journal.json"), JSON.stringify(journal));
}

async function rowsOf(backend: SqlBackend, text: string): Promise<unknown> {
  return (await backend.query({ text, params: [] })).rows;
}

describe.each(databases)("$name database", ({ open }) => {
  const openForTest = async (): Promise<SqlBackend> => {
    const backend = await open();
    onTestFinished(() => backend.close());
    return backend;
  };

  it("applies what is missing, in order, and nothing twice", async () => {
    const backend = await openForTest();
    const folder = temporaryFolder();
    writeMigrations(folder, { "0000_tables": TABLES });
    expect(await migrate({ backend, folder })).toEqual({ applied: ["0000_tables"] });
    expect(await migrate({ backend, folder })).toEqual({ applied: [] });

    writeMigrations(folder, { "0000_tables": TABLES, "0001_column": COLUMN });
    expect(await migrate({ backend, folder })).toEqual({ applied: ["0001_column"] });
    expect(await rowsOf(backend, "select name, age from people")).toEqual([["ANN!;", "7"]]);
  });

  it("keeps the records that drizzle's own migrators read", async () => {
    const backend = await openForTest();
    const folder = temporaryFolder();
    writeMigrations(folder, { "0000_tables": TABLES, "0001_column": COLUMN });
    await migrate({ backend, folder });
    const records = readMigrationFiles({ migrationsFolder: folder });
    expect(
      await rowsOf(
        backend,
        "select hash, created_at from drizzle.__drizzle_migrations order by id",
      ),
    ).toEqual(records.map(({ hash, folderMillis }) => [hash, String(folderMillis)]));
  });

  it("leaves nothing of a migration that fails, keeps those before it, and can go on later", async () => {
    const backend = await openForTest();
    const folder = temporaryFolder();
    writeMigrations(folder, { "0000_tables": TABLES, "0001_broken": BROKEN });
    const failure = await migrate({ backend, folder }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SelfHostError);
    expect((failure as SelfHostError).message).toContain("0001_broken");
    expect(await rowsOf(backend, "select to_regclass('half') is null")).toEqual([["t"]]);

    writeMigrations(folder, { "0000_tables": TABLES, "0001_broken": COLUMN });
    expect(await migrate({ backend, folder })).toEqual({ applied: ["0001_broken"] });
  });

  it("applies each migration once when several start together", async () => {
    const backend = await openForTest();
    const folder = temporaryFolder();
    writeMigrations(folder, { "0000_tables": TABLES, "0001_column": COLUMN, "0002_slow": SLOW });
    const results = await Promise.all(
      Array.from({ length: 4 }, () => migrate({ backend, folder })),
    );
    expect(results.flatMap(({ applied }) => applied).toSorted()).toEqual([
      "0000_tables",
      "0001_column",
      "0002_slow",
    ]);
    expect(await rowsOf(backend, "select count(*) from people")).toEqual([["1"]]);
  });

  it("brings an empty database up to date with the project's own migrations", async () => {
    const backend = await openForTest();
    const folder = fileURLToPath(new URL("../../drizzle/migrations", import.meta.url));
    expect(existsSync(join(folder, "meta/_journal.json"))).toBe(true);
    const { applied } = await migrate({ backend, folder });
    expect(applied).toHaveLength(readMigrationFiles({ migrationsFolder: folder }).length);
    expect(await migrate({ backend, folder })).toEqual({ applied: [] });
  });
});

it("tells the operator about a folder without migrations", async () => {
  const folder = temporaryFolder();
  const backend = { transaction: () => Promise.reject(new Error("not asked for")) };
  await expect(migrate({ backend: backend as never, folder })).rejects.toBeInstanceOf(
    SelfHostError,
  );
});
