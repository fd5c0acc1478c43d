import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { runStep } from "./run-step";

/** The npm package that carries llama.cpp's source as a git bundle, so that it builds offline. */
export const LLAMA_PACKAGE = "node-llama-cpp";
export const LLAMA_PACKAGE_VERSION = "3.22.1";

const BUNDLE_IN_PACKAGE = "package/llama/gitRelease.bundle";

/** llama.cpp's source in `<folder>/src`. Each step's result appears whole or not at all. */
export async function fetchLlamaSource(folder: string): Promise<string> {
  const source = join(folder, "src");
  if (existsSync(source)) return source;

  const bundle = await fetchBundle(folder);
  const scratch = await mkdtemp(join(folder, "clone-"));
  await runStep("unpacking llama.cpp", ["git", "clone", "--quiet", bundle, scratch], {
    logPath: join(folder, "clone.log"),
  });
  await rename(scratch, source);
  return source;
}

async function fetchBundle(folder: string): Promise<string> {
  const bundle = join(folder, "gitRelease.bundle");
  if (existsSync(bundle)) return bundle;

  const scratch = join(folder, "package");
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch);
  const logPath = join(folder, "fetch.log");
  const spec = `${LLAMA_PACKAGE}@${LLAMA_PACKAGE_VERSION}`;
  await runStep(`fetching ${spec}`, ["npm", "pack", spec, "--pack-destination", scratch], {
    logPath,
  });
  const archive = (await readdir(scratch)).find((name) => name.endsWith(".tgz"));
  if (archive === undefined) throw new Error(`npm packed no archive of ${spec}, see ${logPath}`);

  await runStep(
    "opening the package",
    ["tar", "-xzf", join(scratch, archive), "-C", scratch, BUNDLE_IN_PACKAGE],
    { logPath },
  );
  await rename(join(scratch, BUNDLE_IN_PACKAGE), bundle);
  await rm(scratch, { recursive: true });
  return bundle;
}
