import { expect, it } from "vitest";
import { expectLaws } from "./ledger-laws";
import {
  type Ack,
  balances,
  expire,
  extend,
  hold,
  newWorld,
  type Receipt,
  register,
  releaseEscrow,
  settle,
  STARTER,
  useLedger,
  voidLease,
} from "./ledger-world";

const ask = useLedger();
const [CLIENT, NODE] = [0, 1];
const receipt: Receipt = { node: NODE, lease: 0, seq: 0, engineMs: 1_000 };
const ack: Ack = { node: NODE, lease: 0, seq: 0, client: CLIENT, wallMs: 1_000 };
const WORTH = 1_000_000;

async function held(budget: number = 3_000_000) {
  const world = await newWorld(ask);
  await hold(world, { peer: CLIENT, lease: 0, budget });
  return world;
}

const times = <T>(count: number, run: (place: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, place) => run(place)));

it("grants starter credits once to 50 first touches of one user at the same time", async () => {
  const world = await newWorld(ask);
  await times(50, () => register(world, 7));
  expect(await balances(world, 7)).toEqual({ available: STARTER, held: 0, escrow: 0 });
});

it("never holds more than there is for 100 authorizes on one balance at the same time", async () => {
  const world = await newWorld(ask);
  const budget = STARTER / 50;
  const answers = await times(100, (lease) => hold(world, { peer: CLIENT, lease, budget }));
  expect(answers.filter(({ outcome }) => outcome === "held")).toHaveLength(50);
  expect(await balances(world, CLIENT)).toEqual({ available: 0, held: STARTER, escrow: 0 });
  await expectLaws(world);
});

it("settles a receipt once that is sent 50 times at once", async () => {
  const world = await held();
  const answers = await times(50, () => settle(world, [receipt]));
  expect(answers.flat().filter(({ status }) => status === "settled")).toHaveLength(1);
  expect(new Set(answers.flat().map(({ amount }) => amount))).toEqual(new Set([WORTH]));
  expect(await balances(world, NODE)).toEqual({ available: STARTER, held: 0, escrow: WORTH });
  await expectLaws(world);
});

it("counts an extension once that is asked for 20 times at once", async () => {
  const world = await held();
  await times(20, () => extend(world, { peer: CLIENT, lease: 0, add: 500_000, key: 1 }));
  expect(await balances(world, CLIENT)).toEqual({
    available: 1_500_000,
    held: 3_500_000,
    escrow: 0,
  });
});

it("releases a receipt once where its ack, its copy and the ten minutes come at once", async () => {
  const world = await held();
  await settle(world, [receipt]);
  await times(30, async (place) => {
    if (place % 3 === 0) await settle(world, [], [ack]);
    else if (place % 3 === 1) await releaseEscrow(world, NODE);
    else await settle(world, [receipt], [], "late");
  });
  expect(await balances(world, NODE)).toEqual({ available: STARTER + WORTH, held: 0, escrow: 0 });
  await expectLaws(world);
});

it("pays receipts and refunds the rest once where a lease expires while they come", async () => {
  const world = await held();
  await times(24, async (place) => {
    if (place % 3 === 0) await expire(world, CLIENT);
    else if (place % 3 === 1) await voidLease(world, 0);
    else await settle(world, [{ ...receipt, seq: place % 2 }]);
  });
  expect(await balances(world, CLIENT)).toEqual({
    available: STARTER - 2 * WORTH,
    held: 0,
    escrow: 0,
  });
  await expectLaws(world);
});

it("pays a receipt after expiry from what the payer has, and no more than that", async () => {
  const world = await held();
  expect(await expire(world, CLIENT)).toBe(1);
  expect(await expire(world, CLIENT)).toBe(0);
  await hold(world, { peer: CLIENT, lease: 1, budget: STARTER - 250_000 });
  expect(await settle(world, [receipt])).toEqual([{ status: "settled", amount: 250_000 }]);
  expect(await balances(world, CLIENT)).toEqual({
    available: 0,
    held: STARTER - 250_000,
    escrow: 0,
  });
  expect(await balances(world, NODE)).toMatchObject({ escrow: 250_000 });
  await expectLaws(world);
});

it("takes the ack of a receipt after expiry, and gives what it contradicts back to the balance", async () => {
  const world = await held();
  await expire(world, CLIENT);
  await settle(world, [receipt]);
  const [answer] = await settle(world, [], [{ ...ack, wallMs: 100 }]);
  expect(answer).toEqual({ status: "disputed", amount: 100_000 });
  expect(await balances(world, CLIENT)).toMatchObject({ available: STARTER - 100_000, held: 0 });
});

it("keeps an ack before its receipt, and judges it when that comes", async () => {
  const world = await held();
  expect(await settle(world, [], [ack])).toEqual([{ status: "kept", amount: 0 }]);
  expect(await settle(world, [receipt])).toEqual([{ status: "settled", amount: WORTH }]);
  expect(await balances(world, NODE)).toEqual({ available: STARTER + WORTH, held: 0, escrow: 0 });
});

it("releases escrow after ten minutes without an ack; one that comes then changes nothing", async () => {
  const world = await held();
  await settle(world, [receipt]);
  expect(await releaseEscrow(world, NODE)).toBe(1);
  expect(await releaseEscrow(world, NODE)).toBe(0);
  const before = await balances(world, NODE);
  expect(before).toEqual({ available: STARTER + WORTH, held: 0, escrow: 0 });
  const late = await settle(world, [], [{ ...ack, wallMs: 0 }]);
  expect(late).toEqual([{ status: "too_late", amount: WORTH }]);
  expect(await balances(world, NODE)).toEqual(before);
});

it("releases what is due when the owner holds credits or asks for the balance", async () => {
  const world = await held();
  await settle(world, [receipt]);
  const read = (peer: number) =>
    ask(
      `select * from read_balance($1, $2, now() - interval '10 min', now() + interval '1 hour')`,
      [world.user(NODE), world.peer(peer)],
    );
  expect(await read(CLIENT)).toEqual([]);
  expect(await read(NODE)).toEqual([[`${STARTER + WORTH}`, "0", "0"]]);

  await settle(world, [{ ...receipt, seq: 1 }]);
  await ask(
    `select hold_credits($1, $2, 'public', 'm', 1, now(), now(), now() + interval '1 hour')`,
    [world.lease(9), world.peer(NODE)],
  );
  expect(await balances(world, NODE)).toMatchObject({ escrow: 0 });
});

it("gives back under the lease what a dispute frees, so that it can be spent again", async () => {
  const world = await held(WORTH);
  await settle(world, [receipt]);
  expect(await settle(world, [{ ...receipt, seq: 1 }])).toEqual([{ status: "settled", amount: 0 }]);
  await settle(world, [], [{ ...ack, wallMs: 0 }]);
  expect(await balances(world, CLIENT)).toMatchObject({ held: WORTH });
  const [third] = await settle(world, [{ ...receipt, seq: 2 }]);
  expect(third).toEqual({ status: "settled", amount: WORTH });
  await expectLaws(world);
});

const AGREES = { ...receipt, completionTokens: 1_000, responseHash: "s" };
const CONTRADICTIONS: readonly (readonly [string, Partial<Receipt>, Partial<Ack>, string[]])[] = [
  ["nothing", AGREES, { completionTokens: 1_000, responseHash: "s" }, []],
  ["clocks that differ by 500 ms and 2 %", { engineMs: 1_520 }, { wallMs: 1_000 }, []],
  ["a millisecond more than that", { engineMs: 1_521 }, { wallMs: 1_000 }, ["time"]],
  ["a client that saw more time", {}, { wallMs: 80_000 }, []],
  [
    "counts that differ by 5 % and 16",
    { completionTokens: 1_066 },
    { completionTokens: 1_000 },
    [],
  ],
  ["a token more than that", { completionTokens: 1_067 }, { completionTokens: 1_000 }, ["tokens"]],
  [
    "prompts counted within 5 % and 16",
    { promptTokens: 1_066, completionTokens: 1 },
    { promptTokens: 1_000 },
    [],
  ],
  [
    "a prompt that was longer than that",
    { promptTokens: 1_067 },
    { promptTokens: 1_000 },
    ["tokens"],
  ],
  ["a client that counted nothing", { completionTokens: 1_067 }, {}, []],
  ["another request", {}, { requestHash: "other" }, ["request"]],
  ["another answer", { responseHash: "s" }, { responseHash: "other" }, ["response"]],
  ["half an answer", { responseHash: "s" }, { responseHash: "other", outcome: "cancelled" }, []],
  ["an answer of which nothing arrived", { responseHash: "s" }, {}, []],
  [
    "all at once",
    { engineMs: 3_000, completionTokens: 900, responseHash: "s" },
    { wallMs: 0, completionTokens: 1, requestHash: "other", responseHash: "other" },
    ["time", "tokens", "request", "response"],
  ],
];

it("pays the smaller of two times that agree, and calls it no dispute", async () => {
  const world = await held();
  await settle(world, [{ ...receipt, engineMs: 600 }]);
  expect(await settle(world, [], [{ ...ack, wallMs: 100 }])).toEqual([
    { status: "matched", amount: 100_000 },
  ]);
  expect(await balances(world, NODE)).toMatchObject({ available: STARTER + 100_000, escrow: 0 });
  await expectLaws(world);
});

it("pays a receipt that hides its tokens by what its client read", async () => {
  const world = await held();
  await ask("insert into model_rates values ('public', $1, 200000, 20, now())", [world.model]);
  const [hidden, honest] = await settle(
    world,
    [receipt, { ...receipt, seq: 1, engineMs: 300 }],
    [0, 1].map((seq) => ({ ...ack, seq, completionTokens: 1_000 })),
  );
  expect(hidden?.amount).toBe(300_000);
  expect(honest?.amount).toBe(300_000);
  expect(
    await ask("select to_json(reasons) from disputes where lease_id = $1", [world.lease(0)]),
  ).toEqual([['["untold"]']]);
  await expectLaws(world);
});

it("does not bring back a lease that its nodes may have forgotten", async () => {
  const world = await held();
  const late = (minutes: number) =>
    ask("select outcome from extend_lease($1, $2, 1, now() + make_interval(mins => $3), 'k')", [
      world.lease(0),
      world.peer(CLIENT),
      `${minutes}`,
    ]);
  // A new ticket would live for five minutes; the old one ends in five.
  expect(await late(5 + 5 + 11)).toEqual([["lease_not_found"]]);
  expect(await late(5 + 5 + 9)).toEqual([["extended"]]);
});

it.each(CONTRADICTIONS)("judges %s", async (_what, said, saw, reasons) => {
  const world = await held();
  await settle(world, [{ ...receipt, ...said }], [{ ...ack, ...saw }]);
  const rows = await ask(
    "select to_json(reasons) from disputes where lease_id = $1 and cardinality(reasons) > 0",
    [world.lease(0)],
  );
  expect(rows.map(([given]) => JSON.parse(given ?? "") as unknown)).toEqual(
    reasons.length === 0 ? [] : [reasons],
  );
  await expectLaws(world);
});

it("pays no more than one and a half times the usual rate for tokens that are told", async () => {
  const world = await held();
  // 200,000 microcredits for 1,000 tokens.
  await ask("insert into model_rates values ('public', $1, 200000, 20, now())", [world.model]);
  const prices = await settle(world, [
    { ...receipt, seq: 0, completionTokens: 1_000 },
    { ...receipt, seq: 1, completionTokens: 1_000, promptTokens: 1_000 },
    { ...receipt, seq: 2, promptTokens: 10_000_000, engineMs: 10 },
    { ...receipt, seq: 3, completionTokens: 0 },
    { ...receipt, seq: 4 },
  ]);
  expect(prices.map(({ amount }) => amount)).toEqual([300_000, 330_000, 10_000, 0, WORTH]);

  // Where the tokens are in dispute, the smaller count has its price.
  const [one] = await settle(
    world,
    [{ ...receipt, seq: 5, completionTokens: 1_000 }],
    [{ ...ack, seq: 5, completionTokens: 500 }],
  );
  expect(one).toEqual({ status: "settled", amount: 150_000 });
});
