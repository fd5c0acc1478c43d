import { createPrivateKey, sign } from "node:crypto";
import { join } from "node:path";
import {
  generatePrivateKey,
  type Identity,
  openIdentity,
  PrivateKey,
  type Sign,
} from "#protocol/identity";
import { CliError, EXIT } from "../cli/error";
import { createFile } from "./atomic-file";
import { readJsonFile } from "./json-file";
import { closeFile } from "./private-file";

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
  await closeFile(identityPath(dir), warn);
}

async function readIdentity(path: string): Promise<Identity | undefined> {
  const file = await readJsonFile(path, PrivateKey);
  if (file.state === "absent") return undefined;
  if (file.state === "damaged") throw damaged(path);
  try {
    return await openIdentity(file.value, signInPlace(file.value));
  } catch (cause) {
    throw damaged(path, cause);
  }
}

/** WebCrypto would sign on another thread; coming back from there costs more than the signature. */
export function signInPlace(jwk: PrivateKey): Sign {
  const key = createPrivateKey({ key: jwk, format: "jwk" });
  return (bytes) => sign(null, bytes, key);
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
