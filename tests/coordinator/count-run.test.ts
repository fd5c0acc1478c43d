import { Redis } from "@upstash/redis/cloudflare";
import { neon } from "@neondatabase/serverless";
import { drizzle } from "drizzle-orm/neon-http";
import { beforeAll, expect, it } from "vitest";
import { askToOpen } from "#coordinator/ask-to-open";
import { countFailure, countPass } from "#coordinator/count-run";
import type { Committed } from "#coordinator/domain/hardware-run";
import { readBenchmarks } from "#coordinator/store/benchmarks";
import { keepProven, readMarks } from "#coordinator/store/hardware-runs";
import { openTestStores, type TestStores } from "#support/stores";

const NOW = Date.now();
const HOUR = 3_600_000;
const RUN: Committed = {
  stage: "compute_committed",
  id: "a",
  epoch: 1,
  in_round: true,
  nonce: "n",
  started_ms: 1,
  committed: { rows: 1_024, root: "r" },
  open: [3, 5],
  asked_ms: 1,
  compute_ops: 1,
};
const config = { starterNeedsHardware: false, starterMicrocredits: 0 };
/** What the reference device does, on demand. */
const measured = { computeOps: 0.4e12, memoryBytes: 50e9, inRound: false };

let stores: TestStores;

beforeAll(async () => {
  stores = await openTestStores();
  return stores.close;
});

async function bound(): Promise<string> {
  const node = `node-${crypto.randomUUID()}`;
  await stores.ask("select register_peer($1, 'x', null, $1, 0)", [node]);
  await keepProven(stores.redis, node, { rate: 2_000_000, untilMs: NOW + 9 * HOUR }, NOW);
  const deps = { redis: stores.redis, nowMs: () => NOW };
  expect(await askToOpen(deps, node, RUN)).toEqual({ open: [3, 5], within_ms: 5_000 });
  return node;
}

it("counts a pass, and lifts what a missing opening would have begun", async () => {
  const node = await bound();
  const counted = await countPass({ ...stores, config, nowMs: () => NOW }, node, measured);
  const until = new Date(NOW + 24 * HOUR).toISOString();
  const standing = { version: 1, verified: true, multiplier: 1, basis: "proof", until };
  expect(counted).toEqual({ rate: 1_000_000, standing });
  expect(await readMarks(stores.redis, node)).toEqual({
    proven: { rate: 1_000_000, until_ms: NOW + 24 * HOUR },
    cooldown: undefined,
  });
});

it("does not let a node cool down that did all that was asked while the database is away", async () => {
  const node = await bound();
  const fetchOptions = { signal: AbortSignal.abort() };
  const db = drizzle({ client: neon("postgres://u:p@127.0.0.1/none", { fetchOptions }) });
  const counting = countPass({ ...stores, db, config, nowMs: () => NOW }, node, measured);
  await expect(counting).rejects.toThrow();
  expect(await readMarks(stores.redis, node)).toEqual({
    proven: { rate: 2_000_000, until_ms: NOW + 9 * HOUR },
    cooldown: undefined,
  });
});

it("takes what was passed before along with a failure, wherever it is kept, and cools down at once", async () => {
  const node = await bound();
  const deps = { ...stores, config, nowMs: () => NOW };
  await countPass(deps, node, measured);
  await countFailure({ ...deps, nowMs: () => NOW + 1_000 }, node, true, "wrong_result");
  expect(await readMarks(stores.redis, node)).toEqual({
    proven: undefined,
    cooldown: { from_ms: NOW + 1_000, until_ms: NOW + 1_000 + HOUR },
  });
  expect(await readBenchmarks(stores.db, node)).toEqual({
    history: undefined,
    lastFailureMs: NOW + 1_000,
  });
});

it("tells nobody what to open that could not be kept", async () => {
  const signal = () => AbortSignal.abort();
  const redis = new Redis({ url: "http://127.0.0.1:1", token: "t", retry: false, signal });
  await expect(askToOpen({ redis, nowMs: () => NOW }, "node", RUN)).rejects.toThrow();
});
