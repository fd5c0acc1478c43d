import { beforeAll, expect, it } from "vitest";
import { expectLaws } from "./ledger-laws";
import { hold, newWorld, settle, useLedger, type World } from "./ledger-world";

const ask = useLedger();
const [CLIENT, NODE] = [0, 1];
let world: World;

/** A world with something in every table. */
beforeAll(async () => {
  world = await newWorld(ask);
  const common = { node: NODE, lease: 0 };
  await hold(world, { peer: CLIENT, lease: 0, budget: 3_000_000 });
  await settle(
    world,
    [
      { ...common, seq: 0, engineMs: 900 },
      { ...common, seq: 1, engineMs: 100 },
    ],
    [{ ...common, seq: 0, client: CLIENT, wallMs: 10 }],
  );
});

const account = (kind: string, index = CLIENT) =>
  `(select id from accounts where user_id = '${world.user(index)}' and kind = '${kind}')`;
const lease = () => `lease_id = '${world.lease(0)}'`;
const user = () => `user_id = '${world.user(CLIENT)}'`;

const BYPASSES: readonly (readonly [what: string, statement: () => string])[] = [
  ["raise a balance", () => `update accounts set balance = balance + 1 where ${user()}`],
  [
    "open an account with credits in it",
    () => `insert into accounts (user_id, kind, balance)
    select id, 'mint', 5 from users where id = '${world.user(CLIENT)}'`,
  ],
  ["forget an account", () => `delete from accounts where ${user()}`],
  [
    "change an entry",
    () => `update entries set amount = 0 where account_id = ${account("available")}`,
  ],
  ["forget an entry", () => `delete from entries where account_id = ${account("available")}`],
  ["change a transfer", () => `update transfers set type = 'hold' where ${lease()}`],
  ["forget a transfer", () => `delete from transfers where ${lease()}`],
  ["raise a receipt", () => `update receipts set amount = amount + 1 where ${lease()}`],
  ["forget a receipt", () => `delete from receipts where ${lease()}`],
  ["change what waits in escrow", () => `update escrows set amount = 1 where ${lease()}`],
  ["change an ack", () => `update acks set wall_ms = 1 where ${lease()}`],
  ["forget an ack that settled something", () => `delete from acks where ${lease()}`],
  ["forget a dispute", () => `delete from disputes where ${lease()}`],
  ["change a dispute", () => `update disputes set settled = 0 where ${lease()}`],
  [
    "give a lease to another user",
    () => `update leases set user_id = '${world.user(NODE)}' where ${user()}`,
  ],
  ["forget a lease", () => `delete from leases where ${user()}`],
  ...["accounts", "entries", "transfers", "receipts", "escrows", "acks", "disputes", "leases"].map(
    (table) => [`empty ${table}`, () => `truncate ${table} cascade`] as const,
  ),
];

it.each(BYPASSES)("nobody can %s, however the statement comes", async (_what, statement) => {
  await expect(ask(statement())).rejects.toThrow(/append-only|may not change|stays with/);
});

it("refuses a transfer that does not balance, whoever writes it", async () => {
  const write = ask(`with t as (
      insert into transfers (idempotency_key, type) values ('unbalanced', 'hold') returning id
    ) insert into entries select id, ${account("held")}, 5 from t`);
  await expect(write).rejects.toThrow(/does not balance/);
  expect(await ask("select id from transfers where idempotency_key = 'unbalanced'")).toEqual([]);
});

it("refuses more entries for a transfer that has its own, even if they balance", async () => {
  const write = ask(`insert into entries select t.id, leg.account, leg.amount
    from transfers t, (values (${account("escrow")}, 1), (${account("escrow", NODE)}, -1)) as leg (account, amount)
    where t.idempotency_key = 'hold:${world.lease(0)}'`);
  await expect(write).rejects.toThrow(/no more entries/);
});

it("refuses entries that would leave somebody below zero", async () => {
  const write = ask(`with t as (
      insert into transfers (idempotency_key, type) values ('${crypto.randomUUID()}', 'hold') returning id
    ) insert into entries select t.id, leg.account, leg.amount
    from t, (values (${account("held", NODE)}, -1), (${account("available", NODE)}, 1)) as leg (account, amount)`);
  await expect(write).rejects.toThrow(/accounts_never_negative/);
});

it("refuses a second movement under a key that was used", async () => {
  const again = ask(`select move_credits(array[row('hold:${world.lease(0)}', 'hold', null,
    ${account("available")}, ${account("held")}, 1)::movement])`);
  await expect(again).rejects.toThrow(/idempotency_key/);
});

it("keeps a lease that was given back closed", async () => {
  await ask("select void_lease($1)", [world.lease(0)]);
  const reopen = `update leases set released_at = null where id = '${world.lease(0)}'`;
  await expect(ask(reopen)).rejects.toThrow(/may not change/);
  await expectLaws(world);
});

it("forgets only old acks whose receipt never came", async () => {
  await hold(world, { peer: CLIENT, lease: 1, budget: 1_000 });
  for (const [seq, days] of [
    [0, 15],
    [1, 15],
    [2, 13],
  ]) {
    await ask(`insert into acks (lease_id, seq, node_id, peer_id, wall_ms, outcome, request_hash, acked_at)
      values ('${world.lease(1)}', ${seq}, '${world.peer(NODE)}', '${world.peer(CLIENT)}', 1, 'completed', 'q',
        now() - interval '${days} days')`);
  }
  await settle(world, [{ node: NODE, lease: 1, seq: 0, engineMs: 1 }]);
  await ask("select sweep_acks(now() - interval '14 days', 1000)");
  const left = await ask(`select seq from acks where lease_id = '${world.lease(1)}' order by seq`);
  expect(left).toEqual([["0"], ["2"]]);
});
