import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { withExclusiveLock } from "./exclusive-lock";

const ROOT = resolve(import.meta.dirname, "../..");
const FOLDER = join(ROOT, ".cache", "troop-binary");
const BINARY = join(FOLDER, process.platform === "win32" ? "troop.exe" : "troop");
const STAMP = join(FOLDER, "sources.sha256");
/** All that goes into the executable. */
const SOURCES = ["peer/**/*.ts", "protocol/**/*.ts", "package.json", "bun.lockb", "tsconfig*.json"];

/**
 * Path of a `troop` executable made from the sources as they are now: built when they have changed,
 * once for all tests that ask at the same time.
 */
export async function troopBinary(): Promise<string> {
  await mkdir(FOLDER, { recursive: true });
  if (await isMadeFrom(await sourcesHash())) return BINARY;
  return withExclusiveLock(
    join(FOLDER, "lock.sqlite"),
    () => {},
    async () => {
      const sources = await sourcesHash();
      if (!(await isMadeFrom(sources))) await build(sources);
      return BINARY;
    },
  );
}

async function build(sources: string): Promise<void> {
  await rm(STAMP, { force: true });
  const command = [process.execPath, join(ROOT, "peer", "build.ts"), "--outfile", BINARY];
  const child = Bun.spawn(command, { cwd: ROOT, stdout: "ignore", stderr: "pipe" });
  const complaint = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`The binary cannot be built:\n${complaint}`);
  await Bun.write(STAMP, sources);
}

async function isMadeFrom(sources: string): Promise<boolean> {
  if (!(await Bun.file(BINARY).exists()) || !(await Bun.file(STAMP).exists())) return false;
  return (await Bun.file(STAMP).text()) === sources;
}

async function sourcesHash(): Promise<string> {
  const hash = createHash("sha256");
  for (const pattern of SOURCES) {
    const paths = [...new Bun.Glob(pattern).scanSync(ROOT)].toSorted();
    if (paths.length === 0) throw new Error(`No file matches ${pattern}.`);
    for (const path of paths) {
      hash.update(`${path}\0`).update(await Bun.file(join(ROOT, path)).bytes());
    }
  }
  return hash.digest("hex");
}
