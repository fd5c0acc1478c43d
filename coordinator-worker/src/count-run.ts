import type { HardwareStanding } from "#protocol/hardware";
import type { Config } from "./config";
import type { Deps } from "./deps";
import { provenRate, rateOf } from "./domain/hardware-score";
import { standingOf } from "./domain/hardware-standing";
import { recordFailure, recordPass } from "./store/benchmarks";
import { keepOpened, keepProven, startCooldown } from "./store/hardware-runs";
import { grantProvenStarter } from "./store/ledger";

type PassDeps = Pick<Deps, "db" | "nowMs" | "redis"> & {
  readonly config: Pick<Config, "starterMicrocredits" | "starterNeedsHardware">;
};

type Measured = {
  /** Operations and bytes a second. */
  readonly computeOps: number;
  readonly memoryBytes: number;
  readonly inRound: boolean;
};

/** What a run that was passed comes to, in microcredits a second, and what the node's passes come to with it. */
export async function countPass(
  { config, db, nowMs, redis }: PassDeps,
  nodeId: string,
  measured: Measured,
): Promise<{ readonly rate: number; readonly standing: HardwareStanding }> {
  // First of all: it is no fault of the node where the database is away.
  const inForce = await keepOpened(redis, nodeId);
  if (config.starterNeedsHardware) {
    await grantProvenStarter(db, nodeId, config.starterMicrocredits);
  }
  const atMs = nowMs();
  const rate = rateOf(measured.computeOps, measured.memoryBytes);
  const history = await recordPass(db, { nodeId, atMs, rate, ...measured });
  const proven = provenRate(history, inForce, atMs);
  await keepProven(redis, nodeId, proven, atMs);
  const stored = proven && { rate: proven.rate, until_ms: proven.untilMs };
  return { rate, standing: standingOf({ proven: stored, cooldown: undefined }, atMs) };
}

/** A run failed: what was proven before counts no more, in Redis and in Postgres, and the node cools down. */
export async function countFailure(
  { db, nowMs, redis }: Pick<Deps, "db" | "nowMs" | "redis">,
  nodeId: string,
  inRound: boolean,
  failure: string,
): Promise<void> {
  const atMs = nowMs();
  await Promise.all([
    startCooldown(redis, nodeId, atMs),
    recordFailure(db, { nodeId, atMs, inRound, failure }),
  ]);
}
