import type { ProofClaims } from "#protocol/proof";
import type { Redis } from "@upstash/redis/cloudflare";
import { storeCall } from "./store-call";

/** Seconds for which a used proof is remembered: its lifetime and the clock skew on both sides. */
export const REPLAY_TTL_S = 120;

export function replayKey({ iss, jti }: Pick<ProofClaims, "iss" | "jti">): string {
  return `jti:${iss}:${jti}`;
}

/** A pipeline whose first answer is null where the proof was used before; reads are added behind it. */
export function markedPipeline(redis: Redis, proof: ProofClaims) {
  return redis.pipeline().set(replayKey(proof), "1", { nx: true, ex: REPLAY_TTL_S });
}

/** Marks a proof as used where nothing else is asked of Redis; false where it was used before. */
export async function markProof(redis: Redis, proof: ProofClaims): Promise<boolean> {
  const mark = await storeCall("redis", () =>
    redis.set(replayKey(proof), "1", { nx: true, ex: REPLAY_TTL_S }),
  );
  return mark !== null;
}
