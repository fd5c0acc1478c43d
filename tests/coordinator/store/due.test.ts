import { beforeAll, expect, it } from "vitest";
import { sweepDue } from "#coordinator/store/due";
import { openTestStores, type TestStores } from "#support/stores";

let db: TestStores["db"];
let ask: TestStores["ask"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ db, ask } = stores);
  return stores.close;
});

it("refunds leases and releases receipts ten minutes after their time, and none before", async () => {
  const id = crypto.randomUUID();
  const [client, node] = [`client-${id}`, `node-${id}`];
  for (const peer of [client, node]) {
    await ask("select register_peer($1, 'x', null, $1, 1000)", [peer]);
  }
  const now = Date.now();
  const hold = (lease: string, endedMinutesAgo: number) =>
    ask(
      `select hold_credits($1, $2, 'public', 'm', 100, to_timestamp($3::numeric / 1000),
        '-infinity', '-infinity')`,
      [lease, client, `${now - endedMinutesAgo * 60_000}`],
    );
  const [due, kept] = [crypto.randomUUID(), crypto.randomUUID()];
  await hold(due, 11);
  await hold(kept, 9);
  const items = [1, 2].map((seq) => ({
    item: seq,
    lease: kept,
    seq,
    node,
    claim: 10 * seq,
    rate: 1_000,
    engine: "ollama",
    started_at_ms: now,
    queue_ms: 0,
    engine_ms: 10 * seq,
    outcome: "completed",
    request_hash: "q",
  }));
  await ask("select settle_batch($1::jsonb, '[]', '-infinity')", [JSON.stringify(items)]);
  // As if the first had been settled eleven minutes ago, the second nine.
  await ask(
    `with taken as (delete from escrows where owner_id = $1 returning *)
     insert into escrows (lease_id, seq, node_id, owner_id, amount, since)
       select lease_id, seq, node_id, owner_id, amount,
         to_timestamp($2::numeric / 1000) - make_interval(mins => 13 - 2 * seq) from taken`,
    [node, `${now}`],
  );

  await sweepDue(db, now);
  const balances = await ask(
    "select user_id, kind, balance from accounts where user_id in ($1, $2) order by user_id, kind",
    [client, node],
  );
  expect(balances).toEqual([
    [client, "available", "900"],
    [client, "escrow", "0"],
    [client, "held", "70"],
    [node, "available", "1010"],
    [node, "escrow", "20"],
    [node, "held", "0"],
  ]);
});
