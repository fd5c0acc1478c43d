import { readFileSync, writeFileSync } from "node:fs";

/** Writes a generated file; with `--check`, compares instead and ends with 1 where it differs. */
export function writeGenerated(path: string, text: string, remake: string): void {
  if (!process.argv.includes("--check")) {
    writeFileSync(path, text);
    return;
  }
  if (readFileSync(path, "utf8") === text) return;
  process.stderr.write(`${path} is not what its sources generate. Run: ${remake}\n`);
  process.exit(1);
}
