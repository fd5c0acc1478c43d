import { beforeAll, expect, it } from "vitest";
import type { HardwareRun } from "#coordinator/domain/hardware-run";
import {
  keepCommitted,
  keepGoing,
  keepOpened,
  keepProven,
  openRun,
  provenKey,
  readMarks,
  startCooldown,
  takeRun,
} from "#coordinator/store/hardware-runs";
import { openTestStores, type TestStores } from "#support/stores";
import type { ProofClaims } from "#protocol/proof";

const HOUR = 3_600_000;

let redis: TestStores["redis"];

beforeAll(async () => {
  const stores = await openTestStores();
  ({ redis } = stores);
  return stores.close;
});

const proofOf = (iss: string) => ({ iss, jti: crypto.randomUUID() }) as ProofClaims;
const runOf = (id: string): HardwareRun => ({
  stage: "compute",
  id,
  epoch: 1,
  in_round: false,
  nonce: "n",
  started_ms: 1,
});

it("forgets what was proven when a proof fails: nothing of it is left after the cool-down", async () => {
  const [node, nowMs] = [crypto.randomUUID(), Date.now()];
  await keepProven(redis, node, { rate: 2_000_000, untilMs: nowMs + 9 * HOUR }, nowMs);
  expect(await readMarks(redis, node)).toEqual({
    proven: { rate: 2_000_000, until_ms: nowMs + 9 * HOUR },
    cooldown: undefined,
  });
  await startCooldown(redis, node, nowMs);
  expect(await readMarks(redis, node)).toEqual({
    proven: undefined,
    cooldown: { from_ms: nowMs, until_ms: nowMs + HOUR },
  });
});

it("takes runs again as soon as a cool-down is over", async () => {
  const [node, nowMs] = [crypto.randomUUID(), Date.now()];
  await startCooldown(redis, node, nowMs - HOUR + 60_000);
  expect((await openRun(redis, proofOf(node), runOf("a"))).outcome).toBe("cooling");
  await startCooldown(redis, node, nowMs - HOUR);
  expect((await openRun(redis, proofOf(node), runOf("a"))).outcome).toBe("opened");
});

it("begins no run from the moment that rows are bound until they were opened", async () => {
  const [node, nowMs] = [crypto.randomUUID(), Date.now()];
  const run = runOf("a");
  expect(await openRun(redis, proofOf(node), run)).toEqual({ outcome: "opened" });
  await keepCommitted(redis, node, run, nowMs + 5_000);
  const cooling = { outcome: "cooling", untilMs: nowMs + 5_000 + HOUR };
  expect(await openRun(redis, proofOf(node), run)).toEqual(cooling);
  await keepGoing(redis, node, run);
  expect(await openRun(redis, proofOf(node), run)).toEqual(cooling);
  expect(await keepOpened(redis, node)).toBeUndefined();
  expect(await openRun(redis, proofOf(node), run)).toEqual({ outcome: "opened" });
});

it("leaves nothing of what was proven to who binds rows and falls silent", async () => {
  const [node, nowMs] = [crypto.randomUUID(), Date.now()];
  const untilMs = nowMs + 9 * HOUR;
  const leftMs = () => redis.pttl(provenKey(node));
  await keepProven(redis, node, { rate: 2_000_000, untilMs }, nowMs);
  await keepCommitted(redis, node, runOf("a"), nowMs + 5_000);
  // The cool-down is longer than that.
  expect(await leftMs()).toBeLessThanOrEqual(65_000);

  expect(await keepOpened(redis, node)).toBe(2_000_000);
  expect(await leftMs()).toBeGreaterThan(8 * HOUR);
  const proven = { rate: 2_000_000, until_ms: untilMs };
  expect(await readMarks(redis, node)).toEqual({ proven, cooldown: undefined });
});

it("lifts the cool-down of rows that were bound with the pass, and takes what does not count any more", async () => {
  const [node, nowMs] = [crypto.randomUUID(), Date.now()];
  await keepProven(redis, node, { rate: 2_000_000, untilMs: nowMs + HOUR }, nowMs);
  await keepCommitted(redis, node, runOf("a"), nowMs + 5_000);
  await keepProven(redis, node, undefined, nowMs);
  expect(await readMarks(redis, node)).toEqual({ proven: undefined, cooldown: undefined });
});

it("gives a run to one taker: of its own id, at its own stage, with a proof that is new", async () => {
  const node = crypto.randomUUID();
  const proof = proofOf(node);
  await openRun(redis, proof, runOf("a"));
  expect(await openRun(redis, proof, runOf("b"))).toEqual({ outcome: "replayed" });
  const take = (id: string, stage: HardwareRun["stage"], by = proofOf(node)) =>
    takeRun(redis, by, id, stage);
  expect((await take("b", "compute")).run).toBeUndefined();
  expect((await take("a", "memory")).run).toBeUndefined();
  expect(await take("a", "compute", proof)).toEqual({ replayed: true, run: undefined });
  const taken = await Promise.all([1, 2, 3, 4].map(() => take("a", "compute")));
  expect(taken.flatMap(({ run }) => run ?? [])).toEqual([runOf("a")]);
});
