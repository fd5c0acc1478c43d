import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";

const NAME = "running.json";
export const ADMIN_PASSWORD_FILE = "admin-password";

const Running = z.object({ url: z.url(), pid: z.int().positive() });

/** Says in the data folder where its coordinator listens, for the tools of its operator. */
export function writeRunningFile(dataDir: string, url: string): void {
  const running: z.infer<typeof Running> = { url, pid: process.pid };
  writeFileSync(join(dataDir, NAME), `${JSON.stringify(running)}\n`, { mode: 0o600 });
}

export function removeRunningFile(dataDir: string): void {
  rmSync(join(dataDir, NAME), { force: true });
}

/** Where a coordinator listens that was started with this data folder, and its password; undefined without one. */
export function findRunning(dataDir: string): { url: string; password: string } | undefined {
  try {
    const { url } = Running.parse(JSON.parse(readFileSync(join(dataDir, NAME), "utf8")));
    return { url, password: readFileSync(join(dataDir, ADMIN_PASSWORD_FILE), "utf8") };
  } catch {
    return undefined; // Not there, or not one of ours: nothing can be asked there either way.
  }
}
