import type { Answered, AppRequest } from "./call/attempt";
import type { Desk } from "./networks";
import { drop, type Found, search, type SearchDeps, type SearchFrom } from "./search";

/** How long a request looks for a node, its waiting for a free one included, before its app is told. */
export const LOOK_FOR_MS = 30_000;
/** A place that is free again in no time is gone in no time, too. */
const LEAST_PAUSE_MS = 250;

export type PatienceDeps = SearchDeps & {
  /**
   * For how long a request may wait where all nodes are busy and their lines are full, or those that answered a moment ago
   * can't be reached; default: not at all.
   */
  readonly patienceMs?: number;
  readonly random?: () => number;
};

/**
 * Looks for a node, and where all are busy, or just starting again, once more when the first of them should have room, as
 * long as that may be in time. `own`: what this machine's engine said before, should no node do better.
 */
export async function searchWithPatience(
  deps: PatienceDeps,
  desk: Desk,
  request: AppRequest,
  own: Answered | undefined,
): Promise<Response | Found> {
  const { acks, patienceMs = 0, random = Math.random } = deps;
  const nowMs = (): number => acks.steadyMs();
  const startMs = nowMs();
  const untilMs = startMs + LOOK_FOR_MS;
  let from: SearchFrom = { own, attempts: own === undefined ? 0 : 1, untilMs };
  for (;;) {
    const { outcome, freeInMs, attempts, wasGone } = await search(deps, desk, request, from);
    if (freeInMs === undefined || request.signal.aborted) return outcome;
    // Requests that wait for the same place should not come back together.
    const pauseMs = Math.max(LEAST_PAUSE_MS, freeInMs) * (1 + 0.5 * random());
    if (nowMs() + pauseMs > startMs + patienceMs) return outcome;
    if (!(outcome instanceof Response)) drop(outcome.answered);
    from = { attempts, untilMs, wasGone };
    await pause(pauseMs, request.signal);
  }
}

/** Ends early where the app leaves. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal.addEventListener("abort", over);
    if (signal.aborted) over();
  });
}
