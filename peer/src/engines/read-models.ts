import type { ModelOffer } from "#protocol/model-offer";
import type { Outcome } from "#protocol/outcome";
import type { DetectedEngine } from "./detect";
import type { EngineHealth, EngineLoad, EngineMemory } from "./driver";
import { engineReader, type ReadLimits, type ReadRefusal } from "./engine-reader";

/** Listing may read a file per model; still nobody should wait for it for long. */
const MODELS_MS = 5_000;
const HEALTH_MS = 1_500;

export function readModels(
  { driver, target }: DetectedEngine,
  memory: EngineMemory,
  limits: Partial<ReadLimits> = {},
): Promise<Outcome<readonly ModelOffer[], ReadRefusal>> {
  return driver.models(engineReader(target, { timeoutMs: MODELS_MS, ...limits }), memory);
}

export function readHealth(
  { driver, target }: DetectedEngine,
  limits: Partial<ReadLimits> = {},
): Promise<EngineHealth> {
  return driver.health(engineReader(target, { timeoutMs: HEALTH_MS, ...limits }));
}

/** Frees a model's memory; false where the engine did not, or has no way. */
export async function unloadModel(
  { driver, target }: DetectedEngine,
  modelId: string,
  limits: Partial<ReadLimits> = {},
): Promise<boolean> {
  const read = engineReader(target, { timeoutMs: MODELS_MS, ...limits });
  return driver.unload === undefined ? false : driver.unload(read, modelId);
}

/** Null: this engine doesn't tell how busy it is. */
export function readLoad(
  { driver, target }: DetectedEngine,
  limits: Partial<ReadLimits> = {},
): Promise<EngineLoad | null> {
  return driver.load(engineReader(target, { timeoutMs: HEALTH_MS, ...limits }));
}
