import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { COORDINATOR_FOLDER, prepareDataFolder } from "#demo/data-folder";
import { lockFolder } from "#self-host/data-lock";

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "troop-data-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return join(made, "data");
}

it("keeps what is there, unless it is to begin anew", () => {
  const dir = folder();
  prepareDataFolder(dir, false);
  const kept = join(dir, "kept");
  writeFileSync(kept, "");
  prepareDataFolder(dir, false);
  expect(existsSync(kept)).toBe(true);
  prepareDataFolder(dir, true);
  expect(existsSync(kept)).toBe(false);
  // It still knows it for its own.
  prepareDataFolder(dir, true);
});

it("does not begin anew under a coordinator that runs, and does once it has stopped", () => {
  const dir = folder();
  prepareDataFolder(dir, false);
  const running = lockFolder(join(dir, COORDINATOR_FOLDER));
  const signed = join(dir, COORDINATOR_FOLDER, "signing-keys.json");
  writeFileSync(signed, "");
  expect(() => prepareDataFolder(dir, true)).toThrow(`in use by process ${process.pid}`);
  expect(existsSync(signed)).toBe(true);
  running.release();
  prepareDataFolder(dir, true);
  expect(existsSync(signed)).toBe(false);
});
