import type { ProofClaims } from "#protocol/proof";
import type { Redis } from "@upstash/redis/cloudflare";

/** Seconds for which a used proof is remembered: its lifetime and the clock skew on both sides. */
export const REPLAY_TTL_S = 120;

export function replayKey({ iss, jti }: Pick<ProofClaims, "iss" | "jti">): string {
  return `jti:${iss}:${jti}`;
}

/** A pipeline whose first answer is null where the proof was used before; reads are added behind it. */
export function markedPipeline(redis: Redis, proof: ProofClaims) {
  return redis.pipeline().set(replayKey(proof), "1", { nx: true, ex: REPLAY_TTL_S });
}
