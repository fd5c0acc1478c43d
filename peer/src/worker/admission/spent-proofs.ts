import { CLOCK_SKEW_S } from "#protocol/jws";
import { PROOF_LIFETIME_S } from "#protocol/proof";

/** Remembers the proofs of the last two minutes: a `jti` counts once. */
export type SpentProofs = {
  /** False: it was used before, or too many are remembered to take another. */
  spend(peerId: string, jti: string): boolean;
};

/** From the latest moment at which a proof of any age is taken to the latest at which it still is. */
const KEPT_MS = (PROOF_LIFETIME_S + 2 * CLOCK_SKEW_S) * 1_000;
/** Some 60 MB; at two minutes each that is 4,000 requests a second without an end. */
const MOST_KEPT = 500_000;

export function createSpentProofs(nowMs: () => number, mostKept: number = MOST_KEPT): SpentProofs {
  // In the order of arrival, and each is kept equally long: the first is the next to go.
  const forgetAtMs = new Map<string, number>();

  return {
    spend(peerId, jti) {
      const now = nowMs();
      for (const [key, atMs] of forgetAtMs) {
        if (atMs > now) break;
        forgetAtMs.delete(key);
      }
      const key = `${peerId} ${jti}`;
      // Forgetting one early would let it be used again: a full memory takes no more.
      if (forgetAtMs.has(key) || forgetAtMs.size >= mostKept) return false;
      forgetAtMs.set(key, now + KEPT_MS);
      return true;
    },
  };
}
