import { existsSync, fsyncSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openPgliteBackend } from "#self-host/backend-pglite";
import { openCluster } from "#self-host/pglite-cluster";
import { SelfHostError } from "#self-host/self-host-error";
import { type SqlBackend, type SqlStatement, SqlUnavailableError } from "#self-host/sql-backend";
import { cacheFolder, temporaryFolder } from "./folders";

const sql = (text: string, ...params: (string | null)[]): SqlStatement => ({ text, params });
const ENDLESS = sql("select count(*) from generate_series(1, 100000000000)");

async function items(backend: SqlBackend): Promise<readonly unknown[]> {
  return (await backend.query(sql("select id from items order by id"))).rows.flat();
}

it("finds its data again after a restart", async () => {
  const folder = join(temporaryFolder(), "postgres");
  const first = await openPgliteBackend({ folder });
  await first.query(sql("create table items (id int primary key)"));
  await first.query(sql("insert into items values (1)"));
  await first.close();

  const second = await openPgliteBackend({ folder });
  expect(await items(second)).toEqual(["1"]);
  await second.close();
});

it("loses nothing but the statement that is over its limit, and answers those behind it", async () => {
  const folder = join(temporaryFolder(), "postgres");
  // Ample for the statements that have to pass, on a slow machine, too.
  const backend = await openPgliteBackend({ folder, statementTimeoutMs: 2_000 });
  await backend.query(sql("create table items (id int primary key)"));
  await backend.query(sql("insert into items values (1)"));

  const batch = backend.transaction([sql("insert into items values (2)"), ENDLESS]);
  const behind = backend.query(sql("insert into items values (3)"));
  await expect(batch).rejects.toMatchObject({ fields: { code: "57014" } });
  await behind;
  expect(await items(backend)).toEqual(["1", "3"]);
  await backend.close();
});

it("counts the limit for each statement of a batch, not for all of them", async () => {
  // Far more than one nap, and less than all of them.
  const backend = await openPgliteBackend({ folder: null, statementTimeoutMs: 3_000 });
  const naps = Array.from({ length: 8 }, () => sql("select pg_sleep(0.4)"));
  expect(await backend.transaction(naps)).toHaveLength(8);
  await backend.close();
});

it("says that a database in memory is gone after a statement over its limit", async () => {
  const backend = await openPgliteBackend({ folder: null, statementTimeoutMs: 200 });
  await expect(backend.query(ENDLESS)).rejects.toMatchObject({ fields: { code: "57014" } });
  await expect(backend.query(sql("select 1"))).rejects.toBeInstanceOf(SqlUnavailableError);
  await backend.close();
});

it("takes the statements of its maintenance", async () => {
  const backend = await openPgliteBackend({ folder: null });
  await backend.query(sql("create table items (id int)"));
  expect((await backend.query(sql("CHECKPOINT"))).command).toBe("CHECKPOINT");
  expect((await backend.query(sql("VACUUM (ANALYZE)"))).command).toBe("VACUUM");
  await backend.close();
});

it("leaves the event loop free while a statement runs", async () => {
  const backend = await openPgliteBackend({ folder: null });
  const order: string[] = [];
  const statement = backend.query(sql("select pg_sleep(2)")).then(() => order.push("statement"));
  const timer = new Promise((done) => setTimeout(done, 1)).then(() => order.push("timer"));
  await Promise.all([statement, timer]);
  expect(order).toEqual(["timer", "statement"]);
  await backend.close();
});

it("makes a cluster anew where an earlier attempt was cut short", async () => {
  const folder = join(temporaryFolder(), "postgres");
  mkdirSync(`${folder}.new`);
  writeFileSync(join(`${folder}.new`, "PG_VERSION"), "18\n");
  const backend = await openPgliteBackend({ folder });
  expect((await backend.query(sql("select 1"))).rows).toEqual([["1"]]);
  await backend.close();
  expect(existsSync(`${folder}.new`)).toBe(false);
});

it("keeps an empty cluster for later starts, and does without where it cannot", async () => {
  const cache = join(temporaryFolder(), "cache");
  const backend = await openPgliteBackend({ folder: null, cacheFolder: cache });
  await backend.close();
  expect(readdirSync(cache).filter((name) => name.startsWith("empty-"))).toHaveLength(1);

  const file = join(temporaryFolder(), "file");
  writeFileSync(file, "not a folder");
  const without = await openPgliteBackend({ folder: null, cacheFolder: join(file, "cache") });
  expect((await without.query(sql("select 1"))).rows).toEqual([["1"]]);
  await without.close();
});

it("tells the operator when the folder holds no database", async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "PG_VERSION"), "9.6\n");
  await expect(openPgliteBackend({ folder })).rejects.toBeInstanceOf(SelfHostError);
});

it("syncs the log to the disk before a commit is acknowledged, unless told not to", async () => {
  let syncs = 0;
  const count = (fd: number): void => {
    syncs += 1;
    fsyncSync(fd);
  };
  const options = { folder: join(temporaryFolder(), "postgres"), cacheFolder };
  const syncsOfTenCommits = async (fsync: boolean): Promise<number> => {
    const pglite = await openCluster({ ...options, fsync }, count);
    await pglite.exec("create table if not exists items (id int)");
    syncs = 0;
    for (let id = 0; id < 10; id += 1) await pglite.query("insert into items values ($1)", [id]);
    const counted = syncs;
    await pglite.close();
    return counted;
  };
  expect(await syncsOfTenCommits(true)).toBeGreaterThanOrEqual(10);
  expect(await syncsOfTenCommits(false)).toBe(0);
});
