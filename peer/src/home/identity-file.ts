import { chmod, stat } from "node:fs/promises";
import { join } from "node:path";
import { generatePrivateKey, type Identity, openIdentity, PrivateKey } from "#protocol/identity";
import { CliError, EXIT } from "../cli/error";
import { createFile } from "./atomic-file";
import { readJsonFile } from "./json-file";

function identityPath(dir: string): string {
  return join(dir, "identity.json");
}

/** Opens `identity.json`, made first where it is not there. Processes that start at once get the same one. */
export async function loadIdentity(dir: string): Promise<Identity> {
  const path = identityPath(dir);
  const existing = await readIdentity(path);
  if (existing !== undefined) return existing;

  await createFile(path, `${JSON.stringify(await generatePrivateKey(), null, 2)}\n`);
  // Read back, not kept: another process may have been first, and a key that is not on disk is lost.
  const created = await readIdentity(path);
  if (created === undefined) throw damaged(path);
  return created;
}

/** Takes `identity.json` from everybody but its owner; says so where it had to. */
export async function closeIdentity(dir: string, warn: (line: string) => void): Promise<void> {
  const path = identityPath(dir);
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  await chmod(path, 0o600);
  warn(`${path} could be read by other users of this machine; now only its owner can.`);
}

async function readIdentity(path: string): Promise<Identity | undefined> {
  const file = await readJsonFile(path, PrivateKey);
  if (file.state === "absent") return undefined;
  if (file.state === "damaged") throw damaged(path);
  try {
    return await openIdentity(file.value);
  } catch (cause) {
    throw damaged(path, cause);
  }
}

function damaged(path: string, cause?: unknown): CliError {
  return new CliError(
    EXIT.failed,
    `${path} is damaged: it holds no usable key.`,
    "Put back a copy of it. Without one, move the file away to start as a new peer; " +
      "credits that only the old key could spend are out of reach then.",
    { cause },
  );
}
