import type { EngineKind } from "#protocol/model-offer";
import type { EngineDriver } from "./driver";
import { DRIVERS } from "./drivers";
import type { EngineCandidate } from "./engine-env";
import {
  type EngineReader,
  engineReader,
  type ReadLimits,
  type ReadRefusal,
} from "./engine-reader";
import type { EngineTarget } from "./engine-url";
import { MODELS_PATH, OpenAiModels } from "./openai-models";

export type DetectedEngine = {
  readonly kind: EngineKind;
  readonly target: EngineTarget;
  readonly driver: EngineDriver;
};

/** Why there is no engine at a candidate's address. */
export type MissingEngine = {
  readonly candidate: EngineCandidate;
  readonly reason: ReadRefusal["reason"] | "unknown";
  /** For people; ends without a full stop. */
  readonly message: string;
};

export type Detection = DetectedEngine | MissingEngine;

export type ProbeLimits = Partial<ReadLimits>;

/** Long enough for a busy machine, short enough that nobody waits for a port without an engine. */
const PROBE_MS = 1_500;

export function isMissing(detection: Detection): detection is MissingEngine {
  return "reason" in detection;
}

function isFound(detection: Detection): detection is DetectedEngine {
  return !isMissing(detection);
}

/** Looks at all candidates at once, each within the time limit. Never throws. */
export async function detectEngines(
  candidates: readonly EngineCandidate[],
  limits: ProbeLimits = {},
): Promise<{ found: readonly DetectedEngine[]; missing: readonly MissingEngine[] }> {
  const detections = await Promise.all(
    candidates.map((candidate) => detectEngine(candidate, limits)),
  );
  return {
    found: detections.filter(isFound),
    missing: detections.filter(isMissing),
  };
}

export async function detectEngine(
  candidate: EngineCandidate,
  limits: ProbeLimits = {},
): Promise<Detection> {
  const { target } = candidate;
  const read = engineReader(target, { timeoutMs: PROBE_MS, ...limits });
  // One question first: a port where nobody listens is not asked ten.
  const first = await read.answer(MODELS_PATH);
  if (!first.ok) return missing(candidate, first.reason);

  const driver = await recognise(read);
  if (driver !== null) return { kind: driver.kind, target, driver };

  const listing = await read.json(MODELS_PATH, OpenAiModels);
  if (!listing.ok && listing.reason === "unauthorized") return missing(candidate, "unauthorized");
  return (await withoutV1(candidate, limits)) ?? missing(candidate, "unknown");
}

async function recognise(read: EngineReader): Promise<EngineDriver | null> {
  const claims = await Promise.all(DRIVERS.map((driver) => driver.recognises(read)));
  return DRIVERS.find((_, at) => claims[at]) ?? null;
}

/** Some servers have OpenAI's API at a path of their own, such as `/api/paas/v4`. */
async function withoutV1(
  candidate: EngineCandidate,
  limits: ProbeLimits,
): Promise<DetectedEngine | null> {
  const { rootUrl } = candidate.target;
  if (new URL(rootUrl).pathname === "/") return null;
  const target = { ...candidate.target, apiBaseUrl: rootUrl };
  const read = engineReader(target, { timeoutMs: PROBE_MS, ...limits });
  const driver = DRIVERS.find(({ kind }) => kind === "openai");
  if (driver === undefined || !(await driver.recognises(read))) return null;
  return { kind: driver.kind, target, driver };
}

const MESSAGES: Readonly<Record<MissingEngine["reason"], (url: string) => string>> = {
  unreachable: (url) => `nothing listens at ${url}`,
  broken: (url) => `${url} accepts connections, but does not speak HTTP`,
  timeout: (url) => `${url} accepts connections, but does not answer in time`,
  redirect: (url) => `${url} redirects elsewhere; name the final address`,
  too_large: (url) => `${url} answers, but with more than an engine would`,
  unauthorized: (url) =>
    `${url} wants an API key; put it into ENGINE_API_KEY and name the engine with --engine`,
  shape: (url) => `${url} answers, but not like an engine we know`,
  status: (url) => `${url} answers, but not like an engine we know`,
  unknown: (url) => `${url} answers, but not like an engine we know`,
};

function missing(candidate: EngineCandidate, reason: MissingEngine["reason"]): MissingEngine {
  return { candidate, reason, message: MESSAGES[reason](candidate.target.rootUrl) };
}
