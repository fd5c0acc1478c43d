/** Milliseconds and bytes that calls to the coordinator may take. A time is for a call with its retries. */
export type CallLimits = {
  readonly discoveryMs: number;
  /** Authorize and everything that moves credits. */
  readonly creditsMs: number;
  /** The longest wait before the first retry; it triples with each. */
  readonly retryDelayMs: number;
  readonly answerBytes: number;
};

export const CALL_LIMITS: CallLimits = {
  discoveryMs: 5_000,
  creditsMs: 30_000,
  retryDelayMs: 300,
  answerBytes: 8 * 1_024 * 1_024,
};

/** Tries in all of a call that may be sent again without harm. */
export const IDEMPOTENT_TRIES = 3;
