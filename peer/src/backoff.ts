const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

export type BackoffOptions = { readonly longestMs?: number; readonly random?: () => number };

/**
 * Milliseconds to wait after so many failures in a row (1, 2, …). With jitter: peers that lost a coordinator
 * together should not come back together.
 */
export function backoffMs(
  failures: number,
  { longestMs = LONGEST_MS, random = Math.random }: BackoffOptions = {},
): number {
  const most = Math.min(longestMs, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return most * (0.5 + 0.5 * random());
}
