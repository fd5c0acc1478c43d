import { FULL_TABLE_ROWS, HARDWARE_VERSION } from "#protocol/hardware";
import { MICROCREDITS_PER_CREDIT } from "#protocol/microcredits";

/** Published in docs/hardware.md. Whoever changes one of them raises HARDWARE_VERSION: older proofs count no more. */
const REFERENCE_OPS = 0.4e12;
const REFERENCE_BYTES = 50e9;
const COMPUTE_EXPONENT = 0.14;
const MEMORY_EXPONENT = 0.26;
const MIN_STEPS = 5;
const MAX_STEPS = 160;
const STEPS_PER_CREDIT = 20;
const STEP = MICROCREDITS_PER_CREDIT / STEPS_PER_CREDIT;

/** What a node earns until its hardware is proven: the reference device's rate. */
export const UNPROVEN_RATE = MICROCREDITS_PER_CREDIT;
/** What it earns while it cools down after a failed proof: the least there is. */
export const COOLDOWN_RATE = MIN_STEPS * STEP;
export const COOLDOWN_MS = 60 * 60_000;

const HOUR_MS = 60 * 60_000;
const PASS_LASTS_MS = 24 * HOUR_MS;
/** Passes that a multiplier is the median of. */
const COUNTED = 5;
/** A median nearer to the multiplier in force than this changes nothing. */
const HYSTERESIS = 0.1;
/** Runs on demand count on a node's first day, and so long after its last pass in a round. */
const DEMAND_AFTER_ROUND_MS = 48 * HOUR_MS;
/** What a node's usual price may be above the model's: as for a single receipt. */
const PRICE_TOLERANCE = 1.5;

/** Microcredits a second for measured rates: operations and bytes a second. Rounded down to 0.05. */
export function rateOf(computeOps: number, memoryBytes: number): number {
  const multiplier =
    (computeOps / REFERENCE_OPS) ** COMPUTE_EXPONENT *
    (memoryBytes / REFERENCE_BYTES) ** MEMORY_EXPONENT;
  return inSteps(multiplier * STEPS_PER_CREDIT);
}

function inSteps(steps: number): number {
  return STEP * Math.min(MAX_STEPS, Math.max(MIN_STEPS, Math.floor(steps)));
}

/** Bytes a second; a table below the full size may lie in a cache, and counts for its share. */
export function memoryRate(tableRows: number, bytesRead: number, ms: number): number {
  return Math.floor((bytesRead / ms) * 1_000 * Math.min(1, tableRows / FULL_TABLE_ROWS));
}

export type Pass = {
  readonly atMs: number;
  /** Taken at the moment at which everybody was asked. */
  readonly inRound: boolean;
  /** Microcredits a second. */
  readonly rate: number;
  readonly version: number;
};

export type History = {
  /** Of the last day and since the last failure, newest first. */
  readonly passes: readonly Pass[];
  readonly firstPassMs: number;
  readonly lastRoundMs: number | undefined;
  /** Microcredits a second that its served tokens are worth at the models' usual prices; undefined before it served enough. */
  readonly servedRate: number | undefined;
};

export type Proven = {
  /** Microcredits a second. */
  readonly rate: number;
  readonly untilMs: number;
};

/**
 * What a node's passes come to; undefined where none counts. Passes in rounds count before those on demand, which a node
 * could make at a time when its machine does nothing for its other identities.
 */
export function provenRate(
  { passes, firstPassMs, lastRoundMs, servedRate }: History,
  inForce: number | undefined,
  nowMs: number,
): Proven | undefined {
  const live = passes.filter(
    ({ atMs, version }) => version === HARDWARE_VERSION && nowMs - atMs < PASS_LASTS_MS,
  );
  const rounds = live.filter(({ inRound }) => inRound);
  const demandUntilMs = Math.max(
    firstPassMs + PASS_LASTS_MS,
    (lastRoundMs ?? -Infinity) + DEMAND_AFTER_ROUND_MS,
  );
  const isByRounds = rounds.length > 0;
  const counted = (isByRounds ? rounds : live).slice(0, COUNTED);
  const [newest] = counted;
  if (newest === undefined || (!isByRounds && nowMs >= demandUntilMs)) return undefined;
  const lastsUntilMs = newest.atMs + PASS_LASTS_MS;
  const measured = steady(median(counted.map(({ rate }) => rate)), inForce);
  return {
    rate: servedRate === undefined ? measured : Math.min(measured, servedBound(servedRate)),
    untilMs: isByRounds ? lastsUntilMs : Math.min(lastsUntilMs, demandUntilMs),
  };
}

function servedBound(servedRate: number): number {
  return inSteps((servedRate * PRICE_TOLERANCE) / STEP);
}

function steady(rate: number, inForce: number | undefined): number {
  if (inForce === undefined) return rate;
  return Math.abs(rate - inForce) > inForce * HYSTERESIS ? rate : inForce;
}

/** Of an even number the lower of the two in the middle. */
function median(rates: readonly number[]): number {
  const sorted = rates.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}
