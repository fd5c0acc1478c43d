import type { ProblemCode } from "#protocol/problem";
import type { Jwks, Registration } from "#protocol/register";
import type { CoordinatorApi } from "../coordinator/api";
import { CoordinatorProblem, CoordinatorUnreachable } from "../coordinator/errors";
import type { Home } from "./home";
import { readRegistration, writeRegistration } from "./registration-file";
import { rememberCoordinator } from "./settings";

/** An enrolment with less time left is renewed. */
const RENEW_BEFORE_MS = 6 * 60 * 60 * 1_000;
/** Refusals that a coordinator gives which lost its records, or was set up anew at the same URL. */
const FORGOTTEN: ReadonlySet<ProblemCode> = new Set<ProblemCode>([
  "not_registered",
  "enrolment_invalid",
  "forbidden",
  "not_found",
]);

export type EnrolOptions = {
  readonly nowMs?: () => number;
  /** Register even where a usable registration is at hand: the coordinator refused it. */
  readonly renew?: boolean;
  /** What was at hand a moment ago: while it is good for so long, no file is read. */
  readonly known?: Registration | undefined;
  /** The keys that the coordinator publishes now: others than those at hand call for a renewal. */
  readonly jwks?: Jwks;
};

/**
 * This peer's registration at a coordinator: the one at hand, without a call, while it is good for
 * 6 hours more; else a new one. With the coordinator down or too busy, one that has not ended will do.
 */
export async function enrol(
  home: Home,
  api: CoordinatorApi,
  options: EnrolOptions = {},
): Promise<Registration> {
  const { known, nowMs = Date.now } = options;
  const isGood = (one: Registration): boolean =>
    msLeft(one, nowMs()) > RENEW_BEFORE_MS && !isOutdated(one, options);
  if (known !== undefined && isGood(known)) return known;
  const cached = await readRegistration(home, api.baseUrl);
  if (cached !== undefined && isGood(cached)) {
    await rememberCoordinator(home, api.baseUrl);
    return cached;
  }
  try {
    return await register(home, api);
  } catch (error) {
    const isUsable = cached !== undefined && msLeft(cached, nowMs()) > 0 && options.renew !== true;
    if (isUsable && passesBy(error)) return cached;
    throw error;
  }
}

/** Says nothing of this peer: the same call may do later. */
function passesBy(error: unknown): boolean {
  if (!(error instanceof CoordinatorProblem)) return error instanceof CoordinatorUnreachable;
  return error.problem.status === 429 || error.problem.status >= 500;
}

/** Milliseconds until the enrolment ends; negative when it has. */
export function msLeft(registration: Registration, nowMs: number): number {
  return registration.enrolment_expires_at * 1_000 - nowMs;
}

/**
 * Runs `use` with the registration, and once more with a new one where the coordinator no longer knows this peer. `known`:
 * as `EnrolOptions` has it.
 */
export async function withEnrolment<Value>(
  home: Home,
  api: CoordinatorApi,
  use: (registration: Registration) => Promise<Value>,
  known?: Registration,
): Promise<Value> {
  const registration = await enrol(home, api, { known });
  try {
    return await use(registration);
  } catch (error) {
    if (!(error instanceof CoordinatorProblem)) throw error;
    const isForgotten = FORGOTTEN.has(error.problem.code);
    if (!isForgotten) throw error;
    return await use(await enrol(home, api, { renew: true }));
  }
}

async function register(home: Home, api: CoordinatorApi): Promise<Registration> {
  const registration = await api.register({});
  if (registration.peer_id !== home.identity.peerId) {
    throw new CoordinatorUnreachable(
      `The coordinator at ${api.baseUrl} cannot be used: it answered about another peer.`,
    );
  }
  await writeRegistration(home, api.baseUrl, registration);
  await rememberCoordinator(home, api.baseUrl);
  return registration;
}

function isOutdated(cached: Registration, { renew, jwks }: EnrolOptions): boolean {
  if (renew === true) return true;
  if (jwks === undefined) return false;
  const known = new Map(cached.jwks.keys.map((key) => [key.kid, key.x]));
  return jwks.keys.length !== known.size || jwks.keys.some((key) => known.get(key.kid) !== key.x);
}
