import { createHash } from "node:crypto";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { z } from "zod";
import { EMBEDDED_DAWN } from "./embedded-dawn";
import { NoGpu } from "./gpu-kernel";

/** Of `dawn.node` in webgpu 0.6.2. Loading a damaged one would end the process, and a foreign one would run in it. */
export const DAWN_SHA256: Readonly<Record<string, string>> = {
  "darwin-universal": "f5b278f3dc65276bf1f8a667f91650d32585431d5b2d148ca729f67924c574a3",
  "linux-arm64": "474a272ac9be570b04fa3791576d32e56f574818e60190c6788a83be90233980",
  "linux-x64": "ab18a659f8325e874ea45c80347b64336d7f748601102753d2bc669fdecfd710",
  "win32-arm64": "d0ef6fe1551cd08fb0fee2a8281d38008434697e5d9a6f3bfdcbb9ab00755672",
  "win32-x64": "75fff5db8a7541ad7a2d22c468e6f8bc3614b87c3b649c8ce712f7f5148ef338",
};

type Dawn = {
  readonly create: (options: readonly string[]) => GPU;
  readonly globals: Readonly<Record<string, unknown>>;
};

const Dawn = z.custom<Dawn>(
  (addon) =>
    z.object({ create: z.function(), globals: z.looseObject({}) }).safeParse(addon).success,
);

/** The folder of the package in which a system's addon lies. */
export function dawnFolder(platform: string, arch: string): string {
  return platform === "darwin" ? "darwin-universal" : `${platform}-${arch}`;
}

/** WebGPU by Dawn. Throws `NoGpu` where there is none for this system, or it cannot be loaded. */
export async function loadDawn(): Promise<GPU> {
  const folder = dawnFolder(process.platform, process.arch);
  const path = EMBEDDED_DAWN ?? installedAt(folder);
  if (path === undefined) throw new NoGpu("this troop has no GPU path for this system");
  const addon = await readChecked(path, DAWN_SHA256[folder]);
  try {
    const { create, globals } = Dawn.parse(await loadFrom(path, addon));
    Object.assign(globalThis, globals);
    const gpu = create([]);
    // Collected while something of it lives, it would take the process along.
    Object.assign(globalThis, { troopKeepsDawn: gpu });
    return gpu;
  } catch (cause) {
    throw new NoGpu("the GPU's programming interface cannot be loaded", { cause });
  }
}

function installedAt(folder: string): string | undefined {
  try {
    const entry = Bun.resolveSync("webgpu", import.meta.dirname);
    return join(dirname(entry), "dist", folder, "dawn.node");
  } catch {
    return undefined; // The package is optional.
  }
}

/** Throws `NoGpu` where the file is not there, or is not the one with that hash. */
export async function readChecked(path: string, sha256: string | undefined): Promise<Uint8Array> {
  const file = Bun.file(path);
  if (!(await file.exists())) throw new NoGpu("this troop has no GPU path for this system");
  const bytes = await file.bytes();
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found === sha256) return bytes;
  throw new NoGpu("its addon is not the one that was tested; install troop again");
}

/** From inside the executable it has to be a file of its own first, in a folder that nobody else can write to. */
async function loadFrom(path: string, addon: Uint8Array): Promise<unknown> {
  const require = createRequire(import.meta.url);
  if (EMBEDDED_DAWN === undefined) return require(path);
  const folder = await mkdtemp(join(tmpdir(), "troop-gpu-"));
  try {
    const file = join(folder, "dawn.node");
    await writeFile(file, addon, { mode: 0o700 });
    await chmod(file, 0o700);
    return require(file);
  } finally {
    // Loaded, it needs the file no more; Windows keeps it until the process has ended.
    await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}
