import { generatePrivateKey, peerIdOf, PublicKey } from "#protocol/identity";

/** The coordinator's signing keys as the setting SIGNING_KEYS wants them, fresh. */
export async function makeSigningKeys(): Promise<string> {
  const key = await generatePrivateKey();
  const kid = await peerIdOf(PublicKey.parse(key));
  return JSON.stringify([{ ...key, kid: kid.slice(0, 16) }]);
}
