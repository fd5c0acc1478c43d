import { expect, it, onTestFinished } from "vitest";
import { startPgliteOnTcp } from "../self-host/pglite-on-tcp";
import { runProgram } from "./run-program";

const migrate = (env: Readonly<Record<string, string>>) =>
  runProgram("scripts/migrate-database.ts", [], env);

it("makes the tables of an empty database, and does nothing the second time", async () => {
  const database = await startPgliteOnTcp();
  onTestFinished(database.close);
  const env = { DATABASE_URL: `postgres://postgres:word@127.0.0.1:${database.port}/postgres` };
  const first = await migrate(env);
  expect(first).toMatchObject({ exit: 0, err: "" });
  expect(first.out).toMatch(/^Applied: 0000_ledger, 0001_ledger_functions, .*\n$/);
  expect(await migrate(env)).toEqual({ exit: 0, out: "The database is up to date.\n", err: "" });
});

it.each<[Record<string, string>, number, RegExp]>([
  [{}, 2, /^Set DATABASE_URL=postgres:/],
  [{ DATABASE_URL: "mysql://u:secret@host" }, 1, /^DATABASE_URL is not .*\.\nIt looks like .*\n$/],
  [{ DATABASE_URL: "postgres://u:secret@127.0.0.1:1/x" }, 1, /cannot be reached\.\nIs it running/],
])("says what to do about %j, and shows no password", async (env, exit, what) => {
  const ran = await migrate(env);
  expect(ran).toMatchObject({ exit, out: "" });
  expect(ran.err).toMatch(what);
  expect(ran.err).not.toContain("secret");
});
