import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** Where the embedded Postgres keeps its empty cluster by default. */
export const cacheFolder = fileURLToPath(new URL("../../.cache/postgres", import.meta.url));

/** An empty folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "troop-self-host-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
