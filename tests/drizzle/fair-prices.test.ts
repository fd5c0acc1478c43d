import { beforeEach, expect, it } from "vitest";
import {
  hold,
  newWorld,
  type Receipt,
  register,
  settle,
  useLedger,
  type World,
} from "./ledger-world";

const ask = useLedger();
const [CLIENT, NODE, OTHER] = [0, 1, 2];
let world: World;
let seq = 0;

beforeEach(async () => {
  world = await newWorld(ask);
  for (const lease of [0, 1, 2, 3]) await hold(world, { peer: CLIENT, lease, budget: 1_000_000 });
});

/** Receipts of these prices, in microcredits for 1,000 completion tokens. */
async function served(prices: readonly number[], facts: Partial<Receipt> = {}): Promise<void> {
  const receipts = prices.map((price) => ({
    node: NODE,
    lease: 0,
    seq: seq++,
    engineMs: price / 1_000,
    completionTokens: 1_000,
    ...facts,
  }));
  const results = await settle(world, receipts);
  expect(results.map(({ status }) => status)).toEqual(receipts.map(() => "settled"));
}

const learn = async () =>
  (await ask("select rate, samples from learn_rate('public', $1)", [world.model]))[0]?.map(Number);
const known = () => ask("select rate from model_rates where model = $1", [world.model]);

const of = (count: number, price: number) => Array.from({ length: count }, () => price);

it("knows a price from 20 receipts on, and takes the median", async () => {
  await served([...of(10, 3_000), ...of(9, 7_000)]);
  expect(await learn()).toEqual([0, 19]);
  await served([4_000]);
  expect(await learn()).toEqual([3_000, 20]);
  await served([4_000, 4_000]);
  expect(await learn()).toEqual([4_000, 22]);
});

it("counts a prompt token for a tenth", async () => {
  await served(of(20, 3_000), { completionTokens: 1_000, promptTokens: 5_000 });
  expect(await learn()).toEqual([2_000, 20]);
});

it("learns nothing from what was disputed, free, cancelled or told no tokens", async () => {
  await served(of(20, 3_000));
  await served(of(30, 9_000), { outcome: "cancelled" });
  await served(of(30, 9_000), { completionTokens: undefined });
  await served(of(30, 9_000), { completionTokens: 0 });
  await served(of(30, 0));
  await served(of(30, 9_000), { node: CLIENT });
  const first = seq;
  await served(of(30, 9_000));
  const acks = Array.from({ length: 30 }, (_, place) => ({
    node: NODE,
    lease: 0,
    seq: first + place,
    client: CLIENT,
    wallMs: 10,
    requestHash: "another",
  }));
  await settle(world, [], acks);
  expect(await learn()).toEqual([3_000, 20]);
});

it("lets no owner have more than a hundred of the receipts", async () => {
  await served(of(300, 9_000));
  await served(of(101, 3_000), { node: OTHER, lease: 1 });
  expect((await learn())?.[1]).toBe(200);
  await register(world, 7);
  await served(of(20, 2_000), { node: 7, lease: 2 });
  expect(await learn()).toEqual([3_000, 220]);
});

it("learns again of models with new receipts only, and pays no more than one and a half times that", async () => {
  await served(of(20, 2_000));
  // A cron of somebody else on this database may be at it: then it is nobody's turn.
  await expect.poll(() => ask("select learn_rates(10000)").then(known)).toEqual([["2000"]]);
  const [expensive] = await settle(world, [
    { node: NODE, lease: 0, seq: seq++, engineMs: 900, completionTokens: 1_000 },
  ]);
  expect(expensive?.amount).toBe(3_000);

  // Whoever else uses this database: of this model there is nothing newer once it has been learned.
  await ask("select learn_rates(10000)");
  await ask("update model_rates set rate = 1 where model = $1", [world.model]);
  await ask("select learn_rates(10000)");
  expect(await known()).toEqual([["1"]]);
});

it("recovers from a price that somebody drove to nothing with receipts of an accomplice", async () => {
  await served(of(100, 1_000), { completionTokens: 1_000_000_000 });
  await expect.poll(() => ask("select learn_rates(10000)").then(known)).toEqual([["1"]]);
  await served(of(60, 3_000), { node: OTHER, lease: 1 });
  await register(world, 7);
  await served(of(60, 3_000), { node: 7, lease: 2 });
  expect(await learn()).toEqual([3_000, 220]);
});
