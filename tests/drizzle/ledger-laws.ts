import { expect } from "vitest";
import type { World } from "./ledger-world";

const escrowOf = "(select sum(e.amount) from escrows e where e.owner_id = a.user_id)";
/** What one type of movement moved for a receipt. */
const moved = (type: string) => `coalesce((select sum(e.amount) from transfers t
  join entries e on e.transfer_id = t.id and e.amount > 0
  where t.idempotency_key = format('${type}:%s:%s:%s', r.lease_id, r.seq, r.node_id)), 0)`;

/** Each is a query that answers nothing while the law holds, at any moment and whoever else is at work. */
const LAWS = {
  "a transfer's entries sum to zero":
    "select transfer_id from entries group by transfer_id having sum(amount) <> 0",
  "a balance is the sum of its entries": `select a.id from accounts a left join entries e on e.account_id = a.id
    where a.user_id is not null group by a.id, a.balance having a.balance <> coalesce(sum(e.amount), 0)`,
  "nobody is below zero": "select id from accounts where balance < 0",
  "what is held is what open leases have left": `select a.user_id from accounts a where a.kind = 'held' and a.balance <>
    coalesce((select sum(l.budget - l.spent) from leases l where l.user_id = a.user_id and l.released_at is null), 0)`,
  "what is in escrow is what receipts wait for": `select a.user_id from accounts a
    where a.kind = 'escrow' and a.balance <> coalesce(${escrowOf}, 0)`,
  "a lease has spent what its receipts were paid, less what disputes gave back": `select l.id from leases l
    where l.spent <> coalesce((select sum(r.amount) from receipts r where r.lease_id = l.id), 0)
      - coalesce((select sum(d.escrowed - d.settled) from disputes d where d.lease_id = l.id), 0)`,
  "a receipt moves what it is worth into escrow once, and out of it once": `select r.* from receipts r
    left join escrows e using (lease_id, seq, node_id)
    where ${moved("settlement")} <> r.amount
      or ${moved("release")} + ${moved("dispute")} <> case when e.lease_id is null then r.amount else 0 end`,
  "own requests are free": `select r.* from receipts r join leases l on l.id = r.lease_id
    where r.owner_id = l.user_id and r.amount <> 0`,
  "a settlement takes from the lease's payer and gives to somebody's escrow": `select t.id from transfers t
    join entries e on e.transfer_id = t.id join accounts a on a.id = e.account_id
    join leases l on l.id = t.lease_id join users u on u.id = l.user_id
    where t.type = 'settlement'
      and ((a.kind <> 'escrow' and a.user_id in (u.id, u.merged_into)) <> (e.amount < 0)
        or (a.kind = 'escrow') <> (e.amount > 0))`,
  "nobody becomes part of one who is part of another": `select u.id from users u join users m on m.id = u.merged_into
    where m.merged_into is not null`,
  "who became part of another has nothing to spend": `select u.id from users u join accounts a on a.user_id = u.id
    where u.merged_into is not null and a.kind = 'available' and a.balance <> 0`,
};

export async function expectLaws(world: World): Promise<void> {
  for (const [law, query] of Object.entries(LAWS)) {
    expect([law, await world.ask(query)]).toEqual([law, []]);
  }
  const own = `like '%${world.user(0).slice("u0".length)}'`;
  const [total] = await world.ask(`select
    (select sum(balance) from accounts where user_id ${own}),
    (select -sum(e.amount) from entries e join accounts a on a.id = e.account_id and a.kind = 'mint'
      where e.transfer_id in (
        select o.transfer_id from entries o join accounts b on b.id = o.account_id where b.user_id ${own}))`);
  expect(["nothing is lost", total?.[0]]).toEqual(["nothing is lost", total?.[1]]);
}
