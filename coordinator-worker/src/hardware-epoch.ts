import { makeRowCheck, type RowCheck } from "#protocol/poh/freivalds";
import { base64url } from "jose";
import type { Config } from "./config";
import { roundAtMs } from "./domain/hardware-round";

const utf8 = new TextEncoder();
const SEED_BYTES = 32;

export type HardwareEpoch = {
  readonly epoch: number;
  /** Public: B's. */
  readonly seed: Uint8Array<ArrayBuffer>;
  readonly roundAtMs: number;
  /** Made at the first call, some milliseconds of work, and kept. */
  readonly check: () => RowCheck;
};

/** This isolate's last epochs: one that ends still has runs open. */
const known = new Map<string, HardwareEpoch>();
const KEPT = 3;

/**
 * Everything of an epoch follows from the settings' first signing key, so that all isolates agree without asking a store:
 * the seed, which nodes are told, and the moment of the round and X, which they are not.
 */
export async function hardwareEpoch(
  { signingKeys: [root] }: Config,
  epoch: number,
): Promise<HardwareEpoch> {
  const name = `${root.kid} ${epoch}`;
  const cached = known.get(name);
  if (cached !== undefined) return cached;
  const bytes = await derive(root.d, epoch);
  const seed = bytes.slice(0, SEED_BYTES);
  const secret = bytes.slice(SEED_BYTES, 2 * SEED_BYTES);
  let check: RowCheck | undefined;
  const made: HardwareEpoch = {
    epoch,
    seed,
    roundAtMs: roundAtMs(epoch, bytes.subarray(2 * SEED_BYTES)),
    check: () => (check ??= makeRowCheck(seed, secret)),
  };
  known.set(name, made);
  for (const oldest of [...known.keys()].slice(0, -KEPT)) known.delete(oldest);
  return made;
}

/** Makes what openings are checked with once the answer has left: while nodes compute, so that no opening waits for it. */
export async function prepareCheck({ check }: Pick<HardwareEpoch, "check">): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  check();
}

/** Seed, secret of X, moment of the round: HKDF-SHA256. */
async function derive(privateKey: string, epoch: number): Promise<Uint8Array<ArrayBuffer>> {
  const material = new Uint8Array(base64url.decode(privateKey));
  const key = await crypto.subtle.importKey("raw", material, "HKDF", false, ["deriveBits"]);
  const info = utf8.encode(`troop hardware v1 ${epoch}`);
  const parameters = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
  return new Uint8Array(await crypto.subtle.deriveBits(parameters, key, (2 * SEED_BYTES + 4) * 8));
}
