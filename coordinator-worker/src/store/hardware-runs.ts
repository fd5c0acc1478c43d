import type { ProofClaims } from "#protocol/proof";
import { CHALLENGE_TTL_S } from "#protocol/hardware";
import type { Redis } from "@upstash/redis/cloudflare";
import { HardwareRun, type Stage } from "../domain/hardware-run";
import { COOLDOWN_MS, type Proven } from "../domain/hardware-score";
import { Cooldown, type HardwareMarks, StoredRate } from "../domain/hardware-standing";
import { REPLAY_TTL_S, replayKey } from "./replay";
import { storeCall } from "./store-call";

const runKey = (nodeId: string) => `hardware-run:${nodeId}`;
export const provenKey = (nodeId: string) => `hardware-proven:${nodeId}`;
export const cooldownKey = (nodeId: string) => `hardware-cooldown:${nodeId}`;

// A node has one run: a new one takes the place of one whose rows it has not bound yet.
const OPEN = `
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return {0} end
local cooling = redis.call('GET', KEYS[2])
if cooling then return {2, cooling} end
redis.call('SET', KEYS[3], ARGV[2], 'EX', ARGV[3])
return {1}`;

export type Opened =
  | { readonly outcome: "opened" | "replayed" }
  | { readonly outcome: "cooling"; readonly untilMs: number };

/** Begins a run, unless the proof was used before or a proof of hardware failed a short while ago. One round trip. */
export async function openRun(redis: Redis, proof: ProofClaims, run: HardwareRun): Promise<Opened> {
  const [outcome, cooling = ""] = await storeCall("redis", () =>
    redis.eval<string[], [number | string, string?]>(
      OPEN,
      [replayKey(proof), cooldownKey(proof.iss), runKey(proof.iss)],
      [String(REPLAY_TTL_S), JSON.stringify(run), String(CHALLENGE_TTL_S)],
    ),
  );
  if (Number(outcome) === 0) return { outcome: "replayed" };
  if (Number(outcome) === 1) return { outcome: "opened" };
  return { outcome: "cooling", untilMs: Cooldown.parse(JSON.parse(cooling)).until_ms };
}

// Read and deleted in one step: whatever is sent at the same moment, one of them gets it.
const TAKE = `
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return {0} end
local said = redis.call('GET', KEYS[2])
if not said then return {1} end
local run = cjson.decode(said)
if run.id ~= ARGV[2] or run.stage ~= ARGV[3] then return {1} end
redis.call('DEL', KEYS[2])
return {1, said}`;

/** Takes a run that stands at that stage, so that its next step happens once. One round trip. */
export async function takeRun(
  redis: Redis,
  proof: ProofClaims,
  id: string,
  stage: Stage,
): Promise<{ readonly replayed: boolean; readonly run: HardwareRun | undefined }> {
  const [outcome, said] = await storeCall("redis", () =>
    redis.eval<string[], [number | string, string?]>(
      TAKE,
      [replayKey(proof), runKey(proof.iss)],
      [String(REPLAY_TTL_S), id, stage],
    ),
  );
  const run = said === undefined ? undefined : HardwareRun.parse(JSON.parse(said));
  return { replayed: Number(outcome) === 0, run };
}

/** What was proven outlives the opening's end by so much: from then on the cool-down says what counts. */
const LATE_ROOM_MS = 60_000;

/**
 * What a node bound and has to open. Unless it does, a cool-down begins at `lateMs`, and what was proven before counts no
 * more when it is over.
 */
export async function keepCommitted(
  redis: Redis,
  nodeId: string,
  run: HardwareRun,
  lateMs: number,
): Promise<void> {
  const pipeline = redis.pipeline();
  pipeline.set(runKey(nodeId), JSON.stringify(run), { ex: CHALLENGE_TTL_S });
  setCooldown(pipeline, nodeId, lateMs);
  pipeline.pexpireat(provenKey(nodeId), lateMs + LATE_ROOM_MS);
  await storeCall("redis", () => pipeline.exec());
}

// What was proven lasts as long as before it was bound.
const OPENED = `
redis.call('DEL', KEYS[1])
local proven = redis.call('GET', KEYS[2])
if proven then redis.call('PEXPIREAT', KEYS[2], cjson.decode(proven).until_ms) end
return proven or ''`;

/** The node opened what it had bound, rightly: no cool-down begins. Resolves to the rate that it had proven before. */
export async function keepOpened(redis: Redis, nodeId: string): Promise<number | undefined> {
  const proven = await storeCall("redis", () =>
    redis.eval<string[], string>(OPENED, [cooldownKey(nodeId), provenKey(nodeId)], []),
  );
  return marksOf(proven === "" ? undefined : proven, undefined).proven?.rate;
}

/** What the node goes on with. */
export async function keepGoing(redis: Redis, nodeId: string, run: HardwareRun): Promise<void> {
  const text = JSON.stringify(run);
  await storeCall("redis", () => redis.set(runKey(nodeId), text, { ex: CHALLENGE_TTL_S }));
}

/** From now on the node earns what it has proven. */
export async function keepProven(
  redis: Redis,
  nodeId: string,
  proven: Proven | undefined,
  nowMs: number,
): Promise<void> {
  const pipeline = redis.pipeline();
  pipeline.del(cooldownKey(nodeId));
  if (proven === undefined) pipeline.del(provenKey(nodeId));
  else setProven(pipeline, nodeId, proven, nowMs);
  await storeCall("redis", () => pipeline.exec());
}

/** The same for what Postgres remembers, where Redis has forgotten it: nothing that is there now is touched. */
export async function keepRemembered(
  redis: Redis,
  nodeId: string,
  {
    proven,
    failedMs,
  }: { readonly proven: Proven | undefined; readonly failedMs: number | undefined },
  nowMs: number,
): Promise<void> {
  const pipeline = redis.pipeline();
  if (failedMs !== undefined && nowMs < failedMs + COOLDOWN_MS) {
    setCooldown(pipeline, nodeId, failedMs, { nx: true });
  }
  if (proven !== undefined) setProven(pipeline, nodeId, proven, nowMs, { nx: true });
  if (pipeline.length() > 0) await storeCall("redis", () => pipeline.exec());
}

/** A proof failed: what the node had proven counts no more, and for a while no run is begun. */
export async function startCooldown(redis: Redis, nodeId: string, nowMs: number): Promise<void> {
  const pipeline = redis.pipeline();
  setCooldown(pipeline, nodeId, nowMs);
  pipeline.del(provenKey(nodeId));
  await storeCall("redis", () => pipeline.exec());
}

type Pipeline = ReturnType<Redis["pipeline"]>;
/** Only where nothing stands there. */
type Unless = { readonly nx?: true };

function setProven(
  pipeline: Pipeline,
  nodeId: string,
  { rate, untilMs }: Proven,
  nowMs: number,
  unless: Unless = {},
): void {
  const ex = Math.max(1, Math.ceil((untilMs - nowMs) / 1_000));
  pipeline.set(provenKey(nodeId), JSON.stringify({ rate, until_ms: untilMs }), { ex, ...unless });
}

function setCooldown(pipeline: Pipeline, nodeId: string, fromMs: number, unless: Unless = {}) {
  const untilMs = fromMs + COOLDOWN_MS;
  const cooldown = JSON.stringify({ from_ms: fromMs, until_ms: untilMs });
  pipeline.set(cooldownKey(nodeId), cooldown, { pxat: untilMs, ...unless });
}

export async function readMarks(redis: Redis, nodeId: string): Promise<HardwareMarks> {
  const found = await storeCall("redis", () =>
    redis.mget<(string | null)[]>(provenKey(nodeId), cooldownKey(nodeId)),
  );
  return marksOf(found[0], found[1]);
}

/** What stands under `provenKey` and `cooldownKey`. */
export function marksOf(
  proven: string | null | undefined,
  cooldown: string | null | undefined,
): HardwareMarks {
  return {
    proven: typeof proven === "string" ? StoredRate.parse(JSON.parse(proven)) : undefined,
    cooldown: typeof cooldown === "string" ? Cooldown.parse(JSON.parse(cooldown)) : undefined,
  };
}
