import { mkdir, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { CliError, EXIT } from "../cli/error";
import { type Platform, platformNamed } from "../platform/platform";
import { errorCode, OWNER_ONLY_FOLDER } from "./atomic-file";
import type { Home } from "./home";
import { closeIdentity, loadIdentity } from "./identity-file";

export type OpenHomeOptions = {
  readonly warn?: (line: string) => void;
  readonly platform?: Platform;
};

/** Opens a home, made first where it is not there. Throws `CliError`. */
export async function openHome(folder: string, options: OpenHomeOptions = {}): Promise<Home> {
  const { warn = () => {}, platform = platformNamed(process.platform) } = options;
  const dir = resolve(folder);
  try {
    await mkdir(dir, { recursive: true, mode: OWNER_ONLY_FOLDER });
    const identity = await loadIdentity(dir);
    if (platform.hasPosixModes) {
      await closeIdentity(dir, warn);
      await warnOfOpenFolder(dir, warn);
    }
    return { dir, identity };
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError(
      EXIT.failed,
      `The folder ${dir} cannot be used (${errorCode(cause) ?? "unknown reason"}).`,
      "Make it writable for this user, or name another one with --home DIR.",
      { cause },
    );
  }
}

/** Only said, not changed: the folder may be one that the user shares for reasons of their own. */
async function warnOfOpenFolder(dir: string, warn: (line: string) => void): Promise<void> {
  const { mode } = await stat(dir);
  if ((mode & 0o022) === 0) return;
  warn(`Other users of this machine can change files in ${dir}; run: chmod go-w '${dir}'`);
}
