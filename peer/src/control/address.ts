import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Platform } from "../platform/platform";

/** The system's limit for the path of a socket, with room for its final zero. */
const MAX_PATH_BYTES = 100;

/**
 * Where the worker of a home listens for its owner's commands: a socket in a folder of the owner's alone, on Windows a
 * pipe. A home whose path is too long for a socket has it in the system's folder for temporary files.
 */
export function controlAddress(homeDir: string, platform: Platform): ControlAddress {
  const name = createHash("sha256").update(homeDir).digest("hex").slice(0, 16);
  if (platform.pipeFolder !== undefined) {
    return { path: `${platform.pipeFolder}troop-${name}`, folder: undefined };
  }
  const own = join(homeDir, "control");
  const folder =
    Buffer.byteLength(own) < MAX_PATH_BYTES - 12 ? own : join(tmpdir(), `troop-control-${name}`);
  return { path: join(folder, "worker.sock"), folder };
}

export type ControlAddress = {
  readonly path: string;
  /** What is to be made first; `undefined` for a pipe. */
  readonly folder: string | undefined;
};
