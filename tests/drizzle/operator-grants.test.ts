import { expect, it } from "vitest";
import { newWorld, STARTER, useLedger, type World } from "./ledger-world";

const ask = useLedger();

async function grant(world: World, key: string, user: string, amount: number) {
  const [row] = await world.ask("select grant_credits($1, $2, $3)", [key, user, `${amount}`]);
  return row?.[0];
}

async function available(world: World): Promise<number> {
  const [row] = await world.ask(
    "select balance from accounts where user_id = $1 and kind = 'available'",
    [world.user(0)],
  );
  return Number(row?.[0]);
}

it("grants credits out of the mint, once for a key, however often and at once it is asked", async () => {
  const world = await newWorld(ask);
  const key = crypto.randomUUID();
  const said = await Promise.all(
    Array.from({ length: 5 }, () => grant(world, key, world.user(0), 7_000)),
  );
  expect(said.filter((one) => one === "granted")).toHaveLength(1);
  expect(said.filter((one) => one === "already_granted")).toHaveLength(4);
  expect(await available(world)).toBe(STARTER + 7_000);
  const entries = await ask(
    `select e.amount from transfers t join entries e on e.transfer_id = t.id
     where t.idempotency_key = $1 and t.type = 'operator_grant' order by e.amount`,
    [`operator_grant:${key}`],
  );
  expect(entries.map(([amount]) => Number(amount))).toEqual([-7_000, 7_000]);
});

it("grants nothing to nobody, and keeps the key for another try", async () => {
  const world = await newWorld(ask);
  const key = crypto.randomUUID();
  expect(await grant(world, key, "usr_nobody", 1)).toBe("no_user");
  expect(await grant(world, key, world.user(0), 1)).toBe("granted");
});
