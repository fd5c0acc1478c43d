import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { LedgerCheck } from "#protocol/ledger-check";
import { openPgliteBackend } from "#self-host/backend-pglite";
import { migrate } from "#self-host/migrate";
import type { SqlBackend } from "#self-host/sql-backend";
import { type Ask, hold, newWorld, settle, type World } from "./ledger-world";

// A database of its own: what is broken here would be everybody's.
let backend: SqlBackend;
let world: World;
const ask: Ask = async (text, params = []) => (await backend.query({ text, params })).rows;
const [CLIENT, NODE] = [0, 1];

beforeAll(async () => {
  backend = await openPgliteBackend({ folder: null });
  await migrate({ backend, folder: join(import.meta.dirname, "../../drizzle/migrations") });
  world = await newWorld(ask);
  await hold(world, { peer: CLIENT, lease: 0, budget: 3_000_000 });
  const common = { node: NODE, lease: 0 };
  await settle(
    world,
    [
      { ...common, seq: 0, engineMs: 900 },
      { ...common, seq: 1, engineMs: 100 },
    ],
    [{ ...common, seq: 0, client: CLIENT, wallMs: 10 }],
  );
});
afterAll(() => backend.close());

async function check(): Promise<LedgerCheck> {
  return LedgerCheck.parse(JSON.parse((await ask("select check_ledger(100)"))[0]?.[0] ?? ""));
}

/** What the check finds behind a statement that no trigger stops. */
async function foundAfter(statement: string): Promise<LedgerCheck> {
  const text = (sql: string) => ({ text: sql, params: [] });
  const results = await backend.transaction(
    [
      text("set local session_replication_role = replica"),
      text(statement),
      text("select check_ledger(100)"),
    ],
    { isolationLevel: "ReadCommitted" },
  );
  return LedgerCheck.parse(JSON.parse(results[2]?.rows[0]?.[0] ?? ""));
}

const account = (kind: string, index: number) =>
  `(select id from accounts where user_id = '${world.user(index)}' and kind = '${kind}')`;
const leaseIs = () => `'${world.lease(0)}'`;

it("finds nothing in a ledger that only its own functions wrote, and counts what there is", async () => {
  const found = await check();
  expect(found).toMatchObject({ offender_count: 0, offenders: [], history: [] });
  expect(found.counts).toMatchObject({
    leases: 1,
    receipts: 2,
    in_escrow: 1,
    acks: 1,
    disputes: 1,
  });
});

type Broken = readonly [kind: string, breakIt: () => string, mendIt: () => string];
const BROKEN: readonly Broken[] = [
  [
    "balance_differs_from_entries",
    () => `update accounts set balance = balance + 1 where id = ${account("available", NODE)}`,
    () => `update accounts set balance = balance - 1 where id = ${account("available", NODE)}`,
  ],
  [
    "transfer_unbalanced",
    () =>
      `update entries set amount = amount + 1 where account_id = ${account("held", CLIENT)} and amount > 0`,
    () =>
      `update entries set amount = amount - 1 where account_id = ${account("held", CLIENT)} and amount > 0`,
  ],
  [
    "transfer_without_entries",
    () => "insert into transfers (idempotency_key, type) values ('bare', 'hold')",
    () => "delete from transfers where idempotency_key = 'bare'",
  ],
  [
    "held_differs_from_leases",
    () => `update leases set budget = budget - 5 where id = ${leaseIs()}`,
    () => `update leases set budget = budget + 5 where id = ${leaseIs()}`,
  ],
  [
    "escrow_differs_from_receipts",
    () => `update escrows set amount = amount - 5 where lease_id = ${leaseIs()}`,
    () => `update escrows set amount = amount + 5 where lease_id = ${leaseIs()}`,
  ],
  [
    "spent_differs_from_transfers",
    () => `update leases set spent = spent + 5, budget = budget + 5 where id = ${leaseIs()}`,
    () => `update leases set spent = spent - 5, budget = budget - 5 where id = ${leaseIs()}`,
  ],
  [
    "receipts_differ_from_transfers",
    () => `update receipts set amount = amount + 5 where lease_id = ${leaseIs()} and seq = 1`,
    () => `update receipts set amount = amount - 5 where lease_id = ${leaseIs()} and seq = 1`,
  ],
];

it.each(BROKEN)(
  "finds %s, with what it should be and its history",
  async (kind, breakIt, mendIt) => {
    const found = await foundAfter(breakIt());
    await foundAfter(mendIt());
    expect(found.offenders.map((offender) => offender.kind)).toContain(kind);
    expect(found.offender_count).toBe(found.offenders.length);
    for (const { expected, found: is } of found.offenders) expect(is).not.toBe(expected);
    const [first] = found.offenders;
    if (first?.kind === "transfer_without_entries") expect(found.history[0]?.entries).toEqual([]);
    else expect(found.history.flatMap(({ entries }) => entries).length).toBeGreaterThan(1);
    expect(await check()).toMatchObject({ offender_count: 0 });
  },
);

it("shows the first offender by time, however many there are", async () => {
  const found = await foundAfter(
    "update accounts set balance = balance + 1 where user_id is not null",
  );
  await foundAfter("update accounts set balance = balance - 1 where user_id is not null");
  expect(found.offenders.length).toBeGreaterThan(2);
  const times = found.offenders.map(({ at }) => Date.parse(at));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

it("keeps what each check found", async () => {
  await ask("select record_ledger_check(100)");
  const rows = await ask("select offenders, report -> 'counts' ->> 'receipts' from ledger_checks");
  expect(rows).toEqual([["0", "2"]]);
});
