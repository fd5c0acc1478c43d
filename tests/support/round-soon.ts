import { parseConfig } from "#coordinator/config";
import { epochOf } from "#coordinator/domain/hardware-round";
import { hardwareEpoch } from "#coordinator/hardware-epoch";
import { makeSigningKeys } from "#self-host/signing-keys";

const TRIES = 100_000;
/** At the end of an epoch the next round is some time away, whatever the keys. */
const SPREAD_MS = 15_000;
const SPREAD_AT_THE_END_MS = 90_000;

/**
 * Signing keys of a coordinator whose next round begins so many milliseconds from now, or a little later. The moment follows
 * from the keys, so that there are some.
 */
export async function keysWithRound(
  inMs: number,
): Promise<{ readonly signingKeys: string; readonly roundAtMs: number }> {
  const nowMs = Date.now();
  const isNearEnd = epochOf(nowMs) !== epochOf(nowMs + inMs + SPREAD_AT_THE_END_MS);
  const latestMs = inMs + (isNearEnd ? SPREAD_AT_THE_END_MS : SPREAD_MS);
  for (let tried = 0; tried < TRIES; tried++) {
    const signingKeys = await makeSigningKeys();
    const config = parseConfig({
      DATABASE_URL: "postgres://localhost/none",
      UPSTASH_REDIS_REST_URL: "http://127.0.0.1:1",
      UPSTASH_REDIS_REST_TOKEN: "none",
      SIGNING_KEYS: signingKeys,
      PUBLIC_URL: "http://127.0.0.1:1",
    });
    for (const epoch of new Set([epochOf(nowMs), epochOf(nowMs + latestMs)])) {
      const { roundAtMs } = await hardwareEpoch(config, epoch);
      const awayMs = roundAtMs - nowMs;
      if (awayMs >= inMs && awayMs <= latestMs) return { signingKeys, roundAtMs };
    }
  }
  throw new Error("No such keys were found.");
}
