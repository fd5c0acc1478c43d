import { beforeAll, beforeEach, expect, it } from "vitest";
import { rememberHardware } from "#coordinator/remember-hardware";
import { recordFailure, recordPass } from "#coordinator/store/benchmarks";
import { keepCommitted, keepProven, readMarks } from "#coordinator/store/hardware-runs";
import { openTestStores, type TestStores } from "#support/stores";

const NOW = Date.now();
const HOUR = 3_600_000;
const NOTHING = { proven: undefined, cooldown: undefined };

let db: TestStores["db"];
let redis: TestStores["redis"];
let node: string;
let ask: TestStores["ask"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ db, redis, ask } = stores);
  return stores.close;
});

beforeEach(async () => {
  node = `node-${crypto.randomUUID()}`;
  await ask("select register_peer($1, 'x', null, $1, 0)", [node]);
});

const remember = () => rememberHardware({ db, redis, nowMs: () => NOW }, node);
const passed = (hoursAgo: number) =>
  recordPass(db, {
    nodeId: node,
    atMs: NOW - hoursAgo * HOUR,
    inRound: true,
    computeOps: 1e12,
    memoryBytes: 1e11,
    rate: 1_350_000,
  });
const failed = (hoursAgo: number) =>
  recordFailure(db, { nodeId: node, atMs: NOW - hoursAgo * HOUR, inRound: true, failure: "x" });

it("restores what was proven, for as long as it lasts", async () => {
  await remember();
  expect(await readMarks(redis, node)).toEqual(NOTHING);
  await passed(25);
  await remember();
  expect(await readMarks(redis, node)).toEqual(NOTHING);
  await passed(20);
  await remember();
  const proven = { rate: 1_350_000, until_ms: NOW + 4 * HOUR };
  expect(await readMarks(redis, node)).toEqual({ ...NOTHING, proven });
});

it("restores a cool-down, and nothing from before the failure", async () => {
  await passed(3);
  await failed(0.5);
  await remember();
  const cooldown = { from_ms: NOW - HOUR / 2, until_ms: NOW + HOUR / 2 };
  expect(await readMarks(redis, node)).toEqual({ ...NOTHING, cooldown });
});

it("restores no cool-down that is over", async () => {
  await failed(1.1);
  await remember();
  expect(await readMarks(redis, node)).toEqual(NOTHING);
});

it("changes nothing that stands: not a rate in force, and not the cool-down of rows that are bound", async () => {
  await passed(2);
  const run = { stage: "compute", id: "a", epoch: 1, in_round: true } as const;
  await keepCommitted(redis, node, { ...run, nonce: "n", started_ms: 1 }, NOW);
  await remember();
  const { cooldown } = await readMarks(redis, node);
  expect(cooldown).toEqual({ from_ms: NOW, until_ms: NOW + HOUR });

  await keepProven(redis, node, { rate: 900_000, untilMs: NOW + HOUR }, NOW);
  await remember();
  expect((await readMarks(redis, node)).proven).toEqual({
    rate: 900_000,
    until_ms: NOW + HOUR,
  });
});
