import { linkSync, readFileSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A secret of this data folder, made at the first start and kept, for its owner to read only: with other signing keys
 * every ticket out would die.
 */
export async function keptSecret(
  dataDir: string,
  name: string,
  make: () => string | Promise<string>,
): Promise<string> {
  const path = join(dataDir, name);
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if (!isMissing(cause)) throw cause;
  }
  const draft = `${path}.${process.pid}`;
  writeFileSync(draft, await make(), { mode: 0o600 });
  try {
    linkSync(draft, path); // Fails where somebody was faster: then theirs is the secret.
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
