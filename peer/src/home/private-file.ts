import { chmod, stat } from "node:fs/promises";

/** Takes a file from everybody but its owner; says so where it had to. */
export async function closeFile(path: string, warn: (line: string) => void): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) === 0) return;
  await chmod(path, 0o600);
  warn(`${path} could be read by other users of this machine; now only its owner can.`);
}
