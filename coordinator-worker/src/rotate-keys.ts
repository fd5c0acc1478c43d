import { generatePrivateKey, peerIdOf, PublicKey } from "#protocol/identity";
import type { Deps } from "./deps";
import { sealKey } from "./seal-key";
import { insertKey } from "./store/signing-keys";

const KID_CHARACTERS = 16;

/** Makes a key that signs from then on, and is shown to everybody from now on. */
export async function rotateKeys(
  { config, db, keys }: Deps,
  signsFromMs: number,
): Promise<{ readonly kid: string }> {
  const key = await generatePrivateKey();
  const kid = (await peerIdOf(PublicKey.parse(key))).slice(0, KID_CHARACTERS);
  const sealed = await sealKey({ ...key, kid }, signsFromMs, config.signingKeys[0]);
  await insertKey(db, { kid, sealed, signsFromMs });
  await keys.reread();
  return { kid };
}
