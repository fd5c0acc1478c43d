import { linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { generatePrivateKey, peerIdOf, PublicKey } from "#protocol/identity";

/** The coordinator's signing keys as the setting SIGNING_KEYS wants them, fresh. */
export async function makeSigningKeys(): Promise<string> {
  const key = await generatePrivateKey();
  const kid = await peerIdOf(PublicKey.parse(key));
  return JSON.stringify([{ ...key, kid: kid.slice(0, 16) }]);
}

/** The keys of this data folder, made at the first start and kept: with other keys every ticket out would die. */
export async function keptSigningKeys(dataDir: string): Promise<string> {
  const path = join(dataDir, "signing-keys.json");
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
  }
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, await makeSigningKeys(), { mode: 0o600 });
  try {
    linkSync(draft, path); // Fails where somebody was faster: then theirs are the keys.
  } catch {
    return readFileSync(path, "utf8");
  } finally {
    unlinkSync(draft);
  }
  return readFileSync(path, "utf8");
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
