import { openPublicKey, type OpenPublicKey, type PublicKey } from "#protocol/identity";
import { remember } from "#protocol/remember";

/** By a key's bytes: what it takes to verify with it, for peers that come again. A key says nothing about who may do what. */
const known = new Map<string, OpenPublicKey>();
const MOST_KEPT = 10_000;

export async function openKnownKey(publicKey: PublicKey): Promise<OpenPublicKey> {
  const before = known.get(publicKey.x);
  if (before !== undefined) return before;
  const opened = await openPublicKey(publicKey);
  remember(known, MOST_KEPT, publicKey.x, opened);
  return opened;
}
