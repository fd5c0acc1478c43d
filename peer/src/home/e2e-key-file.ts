import { join } from "node:path";
import { E2ePrivateKey, generateE2eKey } from "#protocol/e2e-session";
import { CliError, EXIT } from "../cli/error";
import { type Platform, platformNamed } from "../platform/platform";
import { createFile } from "./atomic-file";
import { readJsonFile } from "./json-file";
import { closeFile } from "./private-file";

/** Reads `e2e-key.json`, made first where it is not there. Processes that start at once get the same one. */
export async function loadE2eKey(
  dir: string,
  warn: (line: string) => void,
  platform: Platform = platformNamed(process.platform),
): Promise<E2ePrivateKey> {
  const path = join(dir, "e2e-key.json");
  let file = await readJsonFile(path, E2ePrivateKey);
  if (file.state === "absent") {
    await createFile(path, `${JSON.stringify(await generateE2eKey(), null, 2)}\n`);
    file = await readJsonFile(path, E2ePrivateKey);
  }
  if (file.state !== "read") {
    throw new CliError(
      EXIT.failed,
      `${path} is damaged: it holds no usable key.`,
      "Move it away; another one is made, and nothing is lost but requests that are on their way.",
    );
  }
  if (platform.hasPosixModes) await closeFile(path, warn);
  return file.value;
}
