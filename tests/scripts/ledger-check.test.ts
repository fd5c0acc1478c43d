import { join } from "node:path";
import { onTestFinished, expect, it } from "vitest";
import { openPostgresBackend } from "#self-host/backend-postgres";
import { migrate } from "#self-host/migrate";
import { startTestCoordinator } from "#support/coordinator";
import { startPgliteOnTcp } from "../self-host/pglite-on-tcp";
import { ROOT, runProgram } from "./run-program";

const ledgerCheckAs = (env: Readonly<Record<string, string>>, ...args: string[]) =>
  runProgram("scripts/ledger-check.ts", args, env);
const ledgerCheck = (...args: string[]) => ledgerCheckAs({}, ...args);

it("asks the coordinator that runs with a data folder, and says so when none does", async () => {
  const coordinator = await startTestCoordinator();
  const found = await ledgerCheck("--data", coordinator.dataDir);
  const password = await Bun.file(join(coordinator.dataDir, "admin-password")).text();
  const set = { ADMIN_PASSWORD: password, DATABASE_URL: "postgres://127.0.0.1:1/another" };
  expect(await ledgerCheckAs(set, "--url", coordinator.url)).toEqual(found);
  const wrong = { ADMIN_PASSWORD: "another-operators-password" };
  for (const where of [
    ["--url", coordinator.url],
    ["--data", coordinator.dataDir],
  ]) {
    const refused = await ledgerCheckAs(wrong, ...where);
    expect(refused).toMatchObject({ exit: 2, out: "" });
    expect(refused.err).toMatch(/answers 401\.\nIt has another .*ADMIN_PASSWORD/);
  }
  await coordinator.stop();
  expect(found).toMatchObject({ exit: 0, err: "" });
  expect(found.out).toMatch(/^Checked \d+ transfers, .*\nEvery law of the ledger holds\.\n$/);

  const none = await ledgerCheck("--data", coordinator.dataDir);
  expect(none).toMatchObject({ exit: 2, out: "" });
  expect(none.err).toContain("npm start");
});

it("reads a database itself, and shows the first offender with its history", async () => {
  const database = await startPgliteOnTcp();
  onTestFinished(database.close);
  const databaseUrl = `postgres://postgres:secret-word@127.0.0.1:${database.port}/postgres`;
  const open = () => openPostgresBackend({ databaseUrl, poolSize: 1 });
  let backend = await open();
  await migrate({ backend, folder: join(ROOT, "drizzle/migrations") });
  const ask = (text: string) => backend.query({ text, params: [] });
  await ask("select register_peer('peer', 'x', null, 'usr_a', 1000000)");
  await backend.close();
  expect(await ledgerCheck("--database-url", databaseUrl)).toMatchObject({ exit: 0 });

  backend = await open();
  await ask("alter table accounts disable trigger accounts_by_entries");
  await ask("update accounts set balance = 1500000 where kind = 'available'");
  await backend.close();
  const { exit, out } = await ledgerCheck("--database-url", databaseUrl);
  expect(exit).toBe(1);
  expect(out).toContain("balance_differs_from_entries");
  expect(out).toContain("expected 1 credit, found 1.5");
  expect(out).toMatch(/transfer 1, .*, starter_grant\n.*-1 on account \d+ \(the network, mint\)/);
});

it("ends with 2 where the database cannot be reached, and does not show its password", async () => {
  const url = "postgres://postgres:secret-word@127.0.0.1:1/none";
  const { exit, out, err } = await ledgerCheck("--database-url", url);
  expect(exit).toBe(2);
  expect(out + err).not.toContain("secret-word");
});

it.each([
  [["--nope"], "Unknown option '--nope'.\nSee docs/operators.md\n"],
  [["--url", "nowhere"], /^--url is no URL\.\nFor example: .*\n$/],
  [
    ["--url", "http://127.0.0.1:1"],
    /^The operator's password is not known\.\nSet ADMIN_PASSWORD.*\n$/,
  ],
])("tells the next thing to do for %j", async (args, what) => {
  const { exit, out, err } = await ledgerCheck(...args);
  expect({ exit, out }).toEqual({ exit: 2, out: "" });
  expect(err).toEqual(typeof what === "string" ? what : expect.stringMatching(what));
});
