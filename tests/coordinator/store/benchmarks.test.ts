import { beforeAll, beforeEach, expect, it } from "vitest";
import { sql } from "drizzle-orm";
import { provenRate } from "#coordinator/domain/hardware-score";
import {
  type NewBenchmark,
  readBenchmarks,
  recordFailure,
  recordPass,
} from "#coordinator/store/benchmarks";
import { at } from "#coordinator/store/ledger";
import { HARDWARE_VERSION } from "#protocol/hardware";
import { openTestStores, type TestStores } from "#support/stores";

const NOW = Date.now();
const HOUR = 3_600_000;

let db: TestStores["db"];
let id: string;
let node: string;
let seq = 0;
let ask: TestStores["ask"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ db, ask } = stores);
  return stores.close;
});

beforeEach(async () => {
  id = crypto.randomUUID();
  node = `node-${id}`;
  for (const peer of [node, `client-${id}`]) {
    await ask("select register_peer($1, 'x', null, $1, 9000000000)", [peer]);
  }
});

function pass(hoursAgo: number, more: Partial<NewBenchmark> = {}) {
  return recordPass(db, {
    nodeId: node,
    atMs: NOW - hoursAgo * HOUR,
    inRound: false,
    computeOps: 1e12,
    memoryBytes: 1e11,
    rate: 1_350_000,
    ...more,
  });
}

it("answers the passes of a node, newest first, this one among them", async () => {
  const version = HARDWARE_VERSION;
  expect(await pass(30, { rate: 900_000 })).toEqual({
    passes: [{ atMs: NOW - 30 * HOUR, inRound: false, rate: 900_000, version }],
    firstPassMs: NOW - 30 * HOUR,
    lastRoundMs: undefined,
    servedRate: undefined,
  });
  await pass(5, { inRound: true });
  const history = await pass(1);
  expect(history.passes.map(({ atMs, inRound }) => [NOW - atMs, inRound])).toEqual([
    [HOUR, false],
    [5 * HOUR, true],
    [30 * HOUR, false],
  ]);
  expect(history.firstPassMs).toBe(NOW - 30 * HOUR);
  expect(history.lastRoundMs).toBe(NOW - 5 * HOUR);
});

it("forgets passes from before a failure", async () => {
  await pass(9, { inRound: true });
  await recordFailure(db, {
    nodeId: node,
    atMs: NOW - 3 * HOUR,
    inRound: true,
    failure: "wrong_result",
  });
  const history = await pass(1, { rate: 700_000 });
  expect(history.lastRoundMs).toBeUndefined();
  expect(history.passes.map(({ rate }) => rate)).toEqual([700_000]);
});

it("gives no second first day, on which runs on demand count, to who fails on purpose", async () => {
  await pass(30);
  const failure = { nodeId: node, inRound: false, failure: "wrong_result" };
  await recordFailure(db, { ...failure, atMs: NOW - 3 * HOUR });
  expect((await readBenchmarks(db, node)).history).toBeUndefined();
  const history = await pass(1);
  expect(history.firstPassMs).toBe(NOW - 30 * HOUR);
  expect(provenRate(history, undefined, NOW)).toBeUndefined();
});

it("hides no pass of a round behind many on demand", async () => {
  await pass(3, { inRound: true, rate: 500_000 });
  const rows = Array.from({ length: 120 }, (_, n) => at(NOW - 2 * HOUR + n * 1_000));
  await db.execute(sql`insert into benchmarks (node_id, at, version, in_round, compute_ops, memory_bytes, rate)
    select ${node}, t, ${HARDWARE_VERSION}, false, 1, 1, 4000000
      from unnest(array[${sql.join(rows, sql`, `)}]) t`);
  const history = await pass(1, { rate: 4_000_000 });
  expect(provenRate(history, undefined, NOW)?.rate).toBe(500_000);
});

it("knows nothing of other nodes", async () => {
  await pass(2);
  node = `client-${id}`;
  expect((await pass(1)).passes.length).toBe(1);
});

/** Receipts of 1,000 tokens each, for a model whose price is known. */
async function serve(count: number, engineMs: number): Promise<void> {
  const model = `model-${id}`;
  await ask(
    `insert into model_rates (network, model, rate, samples, updated_at)
      values ('public', $1, 1000000, 20, now()) on conflict do nothing`,
    [model],
  );
  const lease = crypto.randomUUID();
  await ask(
    `select hold_credits($1, $2, 'public', $3, 900000000, now() + interval '5 minutes',
      '-infinity', '-infinity')`,
    [lease, `client-${id}`, model],
  );
  const items = Array.from({ length: count }, (_, item) => ({
    item,
    lease,
    seq: seq++,
    node,
    claim: 1_000,
    rate: 1_000_000,
    engine: "ollama",
    started_at_ms: NOW,
    queue_ms: 0,
    engine_ms: engineMs,
    completion_tokens: 900,
    prompt_tokens: 1_000,
    outcome: "completed",
    request_hash: "q",
  }));
  await ask("select settle_batch($1::jsonb, '[]', '-infinity')", [JSON.stringify(items)]);
}

it("knows what served tokens are worth a second from 50 receipts and a minute on", async () => {
  await serve(49, 2_000);
  expect((await pass(3)).servedRate).toBeUndefined();
  await serve(1, 2_000);
  // 1,000 weighted tokens for a million microcredits, in two seconds each.
  expect((await pass(2)).servedRate).toBe(500_000);
});

it("says nothing of many receipts that took less than a minute", async () => {
  await serve(60, 999);
  expect((await pass(1)).servedRate).toBeUndefined();
});
