import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrate } from "#self-host/migrate";
import { openStores, type Stores } from "#self-host/stores";
import { testStores } from "#support/coordinator";

const PEERS = ["p0", "p1", "p2"];
const STARTER = 1_000;
let stores: Stores;

beforeAll(async () => {
  stores = await openStores(testStores);
  await migrate({
    backend: stores.sql,
    folder: join(import.meta.dirname, "../../drizzle/migrations"),
  });
});
afterAll(() => stores.close());

async function rows(text: string, params: readonly (string | null)[] = []) {
  const result = await stores.sql.query({ text, params });
  return result.rows;
}

type Op =
  | { kind: "hold"; peer: number; budget: number; lease: number }
  | { kind: "extend"; peer: number; add: number; lease: number; key: number }
  | { kind: "settle"; items: { node: number; lease: number; seq: number; claim: number }[] }
  | { kind: "void"; lease: number }
  | { kind: "release" };

const peer = fc.nat({ max: PEERS.length - 1 });
const lease = fc.nat({ max: 5 });
const amount = fc.integer({ min: 1, max: 700 });
const op: fc.Arbitrary<Op> = fc.oneof(
  fc.record({ kind: fc.constant("hold" as const), peer, budget: amount, lease }),
  fc.record({
    kind: fc.constant("extend" as const),
    peer,
    add: amount,
    lease,
    key: fc.nat({ max: 3 }),
  }),
  fc.record({
    kind: fc.constant("settle" as const),
    items: fc.array(fc.record({ node: peer, lease, seq: fc.nat({ max: 3 }), claim: amount }), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  fc.record({ kind: fc.constant("void" as const), lease }),
  fc.record({ kind: fc.constant("release" as const) }),
);

/** A world of its own for each run, in one database: ids carry its number. */
let world = 0;

async function apply(one: Op, names: (peer: number) => string, ids: (lease: number) => string) {
  switch (one.kind) {
    case "hold":
      await rows(
        "select * from hold_credits($1,$2,'public','m',$3,now() + interval '5 min', now() - interval '10 min')",
        [ids(one.lease), names(one.peer), `${one.budget}`],
      );
      break;
    case "extend":
      await rows("select * from extend_lease($1,$2,$3,now() + interval '6 min',$4)", [
        ids(one.lease),
        names(one.peer),
        `${one.add}`,
        `${world}:${one.key}`,
      ]);
      break;
    case "settle": {
      const items = one.items.map(({ node, lease, seq, claim }, item) => ({
        item,
        lease: ids(lease),
        seq,
        node: names(node),
        claim,
        engine: "ollama",
        started_at_ms: 1_700_000_000_000,
        queue_ms: 0,
        engine_ms: 1,
        outcome: "completed",
        request_hash: "h",
      }));
      await rows("select * from settle_receipts($1::jsonb)", [JSON.stringify(items)]);
      break;
    }
    case "void":
      await rows("select void_lease($1)", [ids(one.lease)]);
      break;
    case "release":
      // As if all leases had ended long ago.
      for (const [index] of PEERS.entries()) {
        await rows("select release_leases($1, now() + interval '1 hour', 1000)", [
          `u${names(index)}`,
        ]);
      }
      break;
  }
}

/** Each is a query that answers nothing while the law holds. */
const LAWS = {
  "a transfer's entries sum to zero":
    "select transfer_id from entries group by transfer_id having sum(amount) <> 0",
  "a balance is the sum of its entries": `select a.id from accounts a left join entries e on e.account_id = a.id
    where a.user_id is not null group by a.id, a.balance having a.balance <> coalesce(sum(e.amount), 0)`,
  "what is held is what open leases have left": `select a.user_id from accounts a where a.kind = 'held' and a.balance <>
    coalesce((select sum(l.budget - l.spent) from leases l where l.user_id = a.user_id and l.released_at is null), 0)`,
  "a lease has spent what its receipts were paid": `select l.id from leases l
    where l.spent <> coalesce((select sum(r.amount) from receipts r where r.lease_id = l.id), 0)`,
  "nobody is below zero": "select id from accounts where balance < 0",
  "a settlement gives to the node's owner what it takes from the payer": `select t.id from transfers t
    join entries e on e.transfer_id = t.id join accounts a on a.id = e.account_id
    join leases l on l.id = t.lease_id
    where t.type = 'settlement' and ((a.user_id = l.user_id) <> (e.amount < 0))`,
};

it("keeps every law of the ledger whatever movements come, also at the same time", async () => {
  const worlds = fc.array(fc.array(op, { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(worlds, async (batches) => {
      world += 1;
      const names = (index: number) => `w${world}${PEERS[index]}`;
      const ids = (index: number) =>
        `${`${world}`.padStart(8, "0")}-0000-4000-8000-${`${index}`.padStart(12, "0")}`;
      for (const [index] of PEERS.entries()) {
        await rows("select register_peer($1,'x',null,$2,$3)", [
          names(index),
          `u${names(index)}`,
          `${STARTER}`,
        ]);
      }
      // The movements of one batch run at once, as far as the database lets them.
      for (const batch of batches) await Promise.all(batch.map((one) => apply(one, names, ids)));
      for (const [law, query] of Object.entries(LAWS))
        expect([law, await rows(query)]).toEqual([law, []]);
      const [total] = await rows("select sum(balance) from accounts where user_id like $1", [
        `uw${world}p%`,
      ]);
      expect(Number(total?.[0])).toBe(STARTER * PEERS.length);
    }),
    { numRuns: 40 },
  );
}, 60_000);

it("never changes or forgets what was written down", async () => {
  for (const table of ["transfers", "entries"]) {
    for (const change of [`delete from ${table}`, `truncate ${table} cascade`]) {
      await expect(rows(change)).rejects.toThrow(/append-only/);
    }
  }
  await expect(rows("update entries set amount = 0")).rejects.toThrow(/append-only/);
});

it("refuses a transfer that does not balance, whoever writes it", async () => {
  const [transfer] = await rows(
    "insert into transfers (idempotency_key, type) values ('unbalanced', 'hold') returning id",
  );
  const [account] = await rows("select min(id) from accounts where user_id is not null");
  const write = rows("insert into entries values ($1, $2, 5)", [
    transfer?.[0] ?? null,
    account?.[0] ?? null,
  ]);
  await expect(write).rejects.toThrow(/balance/);
});

it("gives back what an ended lease has left, once, and pays a receipt that comes later from what is there", async () => {
  world += 1;
  const [client, node, lease] = [`w${world}c`, `w${world}n`, crypto.randomUUID()];
  for (const name of [client, node]) {
    await rows("select register_peer($1,'x',null,$2,'1000')", [name, `u${name}`]);
  }
  const balances = async (name: string) => {
    const found = await rows("select balance from accounts where user_id = $1 order by kind", [
      `u${name}`,
    ]);
    return found.map(([balance]) => Number(balance));
  };
  const hold =
    "select * from hold_credits($1,$2,'public','m','600',now(),now() - interval '10 min')";
  await rows(hold, [lease, client]);
  expect(await balances(client)).toEqual([400, 600]);
  const release = () =>
    rows("select release_leases($1, now() + interval '1 min', 10)", [`u${client}`]);
  expect(await release()).toEqual([["1"]]);
  expect(await release()).toEqual([["0"]]);
  expect(await balances(client)).toEqual([1_000, 0]);

  const receipt = { item: 0, lease, seq: 1, node, claim: 250, engine: "ollama", started_at_ms: 1 };
  const rest = { queue_ms: 0, engine_ms: 1, outcome: "completed", request_hash: "h" };
  await rows("select * from settle_receipts($1::jsonb)", [
    JSON.stringify([{ ...receipt, ...rest }]),
  ]);
  expect(await balances(client)).toEqual([750, 0]);
  expect(await balances(node)).toEqual([1_250, 0]);
});
