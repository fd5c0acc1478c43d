import type { ModelOffer } from "#protocol/model-offer";
import { type DetectedEngine, detectEngine, isMissing, type MissingEngine } from "./detect";
import type { EngineMemory } from "./driver";
import type { EngineCandidate } from "./engine-env";
import type { ReadLimits } from "./engine-reader";
import { readHealth, readModels } from "./read-models";

/** One address that is watched, and what is there now. */
export type WatchedEngine = {
  readonly candidate: EngineCandidate;
  /** Null: no engine there. */
  readonly engine: DetectedEngine | null;
  /** Why there is none; null while there is one, or before the first look. */
  readonly missing: MissingEngine | null;
  readonly offers: readonly ModelOffer[];
  /** Ids of models that it had until it began to load anew. */
  readonly loading: readonly string[];
  /** Health polls in a row that got no answer in time. */
  readonly silentPolls: number;
};

/** `poll` looks whether what was there is still there; `full` reads the models anew as well. */
export type Look = "poll" | "full";

/** A machine under load may miss one poll; whoever misses two is not offered. */
const SILENT_POLLS_ALLOWED = 1;

export function unwatched(candidate: EngineCandidate): WatchedEngine {
  return { candidate, engine: null, missing: null, offers: [], loading: [], silentPolls: 0 };
}

/** Looks once and tells what is there now. Never throws. */
export async function lookAt(
  before: WatchedEngine,
  look: Look,
  memory: EngineMemory,
  limits: Pick<ReadLimits, "signal">,
): Promise<WatchedEngine> {
  const { engine } = before;
  if (engine === null)
    return isWorthALook(before, look) ? lookAnew(before, memory, limits) : before;

  const health = await readHealth(engine, limits);
  // Something else may have taken its place: llama.cpp where Ollama was.
  if (health === "down") return lookAnew(before, memory, limits);
  if (health === "loading") {
    const loading = before.offers.length > 0 ? before.offers.map(({ id }) => id) : before.loading;
    return { ...before, offers: [], loading, silentPolls: 0 };
  }
  if (health === "silent") {
    const silentPolls = before.silentPolls + 1;
    const offers = silentPolls > SILENT_POLLS_ALLOWED ? [] : before.offers;
    return { ...before, offers, silentPolls };
  }
  // The generic engine's health is any engine's: look whether it still is only that.
  if (engine.kind === "openai" && look === "full") return lookAnew(before, memory, limits);
  const isKnown = look === "poll" && before.offers.length > 0;
  const awake = { ...before, loading: [], silentPolls: 0 };
  return isKnown ? awake : withModels(awake, engine, memory, limits);
}

/** Polls are for engines that start; what answered like none is left in peace between full looks. */
function isWorthALook({ missing }: WatchedEngine, look: Look): boolean {
  return look === "full" || missing === null || MAY_START.has(missing.reason);
}

const MAY_START: ReadonlySet<MissingEngine["reason"]> = new Set([
  "unreachable",
  "broken",
  "timeout",
]);

async function lookAnew(
  before: WatchedEngine,
  memory: EngineMemory,
  limits: Pick<ReadLimits, "signal">,
): Promise<WatchedEngine> {
  const detection = await detectEngine(before.candidate, limits);
  const blank = unwatched(before.candidate);
  memory.clear();
  if (isMissing(detection)) return { ...blank, missing: detection };
  return withModels({ ...blank, engine: detection }, detection, memory, limits);
}

async function withModels(
  before: WatchedEngine,
  engine: DetectedEngine,
  memory: EngineMemory,
  limits: Pick<ReadLimits, "signal">,
): Promise<WatchedEngine> {
  const models = await readModels(engine, memory, limits);
  if (models.ok) return { ...before, offers: models.value };
  // Healthy a moment ago: a slow listing says nothing about the models, any other failure does.
  return models.reason === "timeout" ? before : { ...before, offers: [] };
}
