import { expect, it } from "vitest";
import { holding, untilWaiting } from "./held-locks";
import { expectLaws } from "./ledger-laws";
import { balances, hold, link, newWorld, register, settle, useLedger } from "./ledger-world";

const ask = useLedger();

const WORTH = 1_000_000;
const [CLIENT, SPENDER, NODE, OTHER] = [0, 1, 2, 5];
/** People. Who was there earlier has the accounts that are locked earlier. */
const [EARLIER, LATER] = [3, 4];

it("settles what a node earned while it is given to another person, and waits in no circle for it", async () => {
  const world = await newWorld(ask);
  await register(world, OTHER);
  await link(world, { peer: OTHER, person: EARLIER });
  await link(world, { peer: SPENDER, person: LATER });
  await link(world, { peer: NODE, person: LATER });
  await hold(world, { peer: CLIENT, lease: 0, budget: WORTH });
  await hold(world, { peer: SPENDER, lease: 1, budget: WORTH });

  const letGo = await holding("select lock_accounts(array[$1])", [world.user(LATER)]);
  const first = settle(world, [{ node: NODE, lease: 0, seq: 0, engineMs: 1_000 }]);
  await untilWaiting(ask, 1);
  expect(await link(world, { peer: NODE, person: EARLIER })).toBe("linked");
  const second = settle(world, [{ node: OTHER, lease: 1, seq: 0, engineMs: 1_000 }]);
  await untilWaiting(ask, 2);
  await letGo();

  const settled = [{ status: "settled", amount: WORTH }];
  expect(await Promise.all([first, second])).toEqual([settled, settled]);
  // Whoever had the node when it was asked for.
  expect(await balances(world, LATER)).toMatchObject({ escrow: WORTH });
  expect(await balances(world, EARLIER)).toMatchObject({ escrow: WORTH });
  await expectLaws(world);
});

it("holds credits for a peer that is being signed out, and waits for nothing of it", async () => {
  const world = await newWorld(ask);
  await ask("update peers set last_used_at = now() - interval '2 hours' where id = $1", [
    world.peer(CLIENT),
  ]);
  const text = "update peers set name = 'another' where id = $1";
  const letGo = await holding(text, [world.peer(CLIENT)]);
  try {
    const answer = await hold(world, { peer: CLIENT, lease: 0, budget: WORTH });
    expect(answer).toEqual({ outcome: "held", budget: WORTH });
  } finally {
    await letGo();
  }
});
