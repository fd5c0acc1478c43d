import fc from "fast-check";
import { expect, it } from "vitest";
import { expectLaws } from "./ledger-laws";
import { LedgerModel } from "./ledger-model";
import { type Movement, movement } from "./ledger-movements";
import {
  balances,
  expire,
  extend,
  hold,
  link,
  newWorld,
  PEERS,
  PEOPLE,
  releaseEscrow,
  revoke,
  settle,
  voidLease,
  useLedger,
  type World,
} from "./ledger-world";

const ask = useLedger();

async function apply(world: World, one: Movement): Promise<unknown> {
  switch (one.kind) {
    case "hold":
      return hold(world, one);
    case "extend":
      return extend(world, one);
    case "settle":
      return settle(world, one.receipts, one.acks, one.when);
    case "void":
      return voidLease(world, one.lease);
    case "expire":
      return expire(world, one.user);
    case "release":
      return releaseEscrow(world, one.user);
    case "link":
      return link(world, one);
    case "revoke":
      return revoke(world, one);
  }
}

function foretell(model: LedgerModel, one: Movement): unknown {
  switch (one.kind) {
    case "hold":
      return model.hold(one);
    case "extend":
      return model.extend(one);
    case "settle":
      return model.settle(one.receipts, one.acks, one.when);
    case "void":
      return model.endLease(one.lease);
    case "expire":
      return model.expire(one.user);
    case "release":
      return model.releaseEscrow(one.user);
    case "link":
      return model.link(one);
    case "revoke":
      return model.revoke(one);
  }
}

const fairRate = fc.option(fc.integer({ min: 1, max: 40_000_000 }), { nil: undefined });

async function worldWith(rate: number | undefined): Promise<World> {
  const world = await newWorld(ask);
  if (rate !== undefined) {
    await ask("insert into model_rates values ('public', $1, $2, 20, now())", [
      world.model,
      `${rate}`,
    ]);
  }
  return world;
}

it("does what the protocol says, movement by movement, whatever comes in whatever order", async () => {
  await fc.assert(
    fc.asyncProperty(
      fairRate,
      fc.array(movement, { minLength: 5, maxLength: 30 }),
      async (rate, movements) => {
        const world = await worldWith(rate);
        const model = new LedgerModel(rate);
        for (const one of movements) {
          const foretold = foretell(model, one);
          expect([one, await apply(world, one)]).toEqual([one, foretold]);
        }
        for (const user of [...PEERS, ...PEOPLE]) {
          expect(await balances(world, user)).toEqual(model.balances(user));
        }
        await expectLaws(world);
      },
    ),
    { numRuns: 60 },
  );
});

it("keeps every law whatever movements come at the same time, again and again", async () => {
  const batches = fc.array(fc.array(movement, { minLength: 1, maxLength: 8 }), {
    minLength: 1,
    maxLength: 10,
  });
  await fc.assert(
    fc.asyncProperty(fairRate, batches, async (rate, all) => {
      const world = await worldWith(rate);
      for (const batch of all) {
        // Each movement also comes twice: what is retried counts once.
        await Promise.all([...batch, ...batch].map((one) => apply(world, one)));
      }
      await expectLaws(world);
    }),
    // What fails in a race may not fail again: the first failure is told as it is.
    { numRuns: 40, endOnFailure: true },
  );
});
