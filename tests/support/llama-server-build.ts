import { existsSync } from "node:fs";
import { copyFile, cp, mkdir, rename, rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { commandInPath, ensureDebianPackages } from "./debian-packages";
import { withExclusiveLock } from "./exclusive-lock";
import { fetchLlamaSource, LLAMA_PACKAGE_VERSION } from "./llama-server-source";
import { runStep } from "./run-step";

export type LlamaServerBuild = {
  /** Path of the program. */
  readonly program: string;
  /** llama.cpp's chat templates of well-known models, as `*.jinja` files. */
  readonly templates: string;
};

const REPOSITORY = join(import.meta.dirname, "../..");

/**
 * CPU only, static, -O1 (the build takes minutes, the tiny models run for seconds), and nothing that
 * would be downloaded: no web UI, no TLS. Without GGML_NATIVE the program may be cached across machines.
 */
const CMAKE_SETTINGS = [
  "CMAKE_BUILD_TYPE=Release",
  "CMAKE_CXX_FLAGS_RELEASE=-O1 -DNDEBUG",
  "BUILD_SHARED_LIBS=OFF",
  "LLAMA_BUILD_TESTS=OFF",
  "LLAMA_BUILD_EXAMPLES=OFF",
  "LLAMA_BUILD_APP=OFF",
  "LLAMA_BUILD_UI=OFF",
  "LLAMA_USE_PREBUILT_UI=OFF",
  "LLAMA_CURL=OFF",
  "LLAMA_OPENSSL=OFF",
  "LLAMA_BUILD_NUMBER=0",
  "LLAMA_BUILD_COMMIT=bundle",
  "GGML_NATIVE=OFF",
  "GGML_OPENMP=OFF",
];

/** llama-server, built on the first call and kept in `.cache/` (or `$TROOP_CACHE`). */
export async function ensureLlamaServer(): Promise<LlamaServerBuild> {
  const cache = process.env["TROOP_CACHE"] ?? join(REPOSITORY, ".cache");
  const folder = join(cache, "llama-server", LLAMA_PACKAGE_VERSION);
  const built = join(folder, "bin");
  const result = { program: join(built, "llama-server"), templates: join(built, "templates") };
  if (existsSync(built)) return result;

  await mkdir(folder, { recursive: true });
  const onWait = (): void => console.log("waiting for another build of llama-server …");
  await withExclusiveLock(join(folder, "build.lock"), onWait, async () => {
    // Another process may have built it while this one waited.
    if (!existsSync(built)) await build(folder, built);
  });
  return result;
}

async function build(folder: string, built: string): Promise<void> {
  await ensureDebianPackages([
    { isPresent: commandInPath("git"), debianPackage: "git" },
    { isPresent: commandInPath("cmake"), debianPackage: "cmake" },
    { isPresent: commandInPath("make"), debianPackage: "make" },
    { isPresent: commandInPath("c++"), debianPackage: "g++" },
  ]);
  console.log(`building llama-server once into ${folder} (about 4 minutes on 2 cores)`);
  const source = await fetchLlamaSource(folder);
  const objects = join(folder, "build");
  const isResumed = existsSync(objects);
  try {
    await compile(source, objects, folder);
  } catch (error) {
    // A killed build may have left half an object file behind, which make takes for a whole one.
    if (!isResumed) throw error;
    await rm(objects, { recursive: true });
    await compile(source, objects, folder);
  }
  await install(source, objects, built);
  await Promise.all(
    [source, objects, join(folder, "gitRelease.bundle")].map((path) =>
      rm(path, { recursive: true }),
    ),
  );
}

async function compile(source: string, objects: string, folder: string): Promise<void> {
  const settings = CMAKE_SETTINGS.map((setting) => `-D${setting}`);
  await runStep("configuring llama.cpp", ["cmake", "-S", source, "-B", objects, ...settings], {
    logPath: join(folder, "configure.log"),
  });
  const jobs = String(availableParallelism());
  const command = ["cmake", "--build", objects, "--target", "llama-server", "--parallel", jobs];
  await runStep("compiling llama-server", ["nice", ...command], {
    logPath: join(folder, "compile.log"),
    progress: /\[ *(\d+%)\]/,
  });
}

/** The folder with the results appears last and whole: it is the mark that the build is done. */
async function install(source: string, objects: string, built: string): Promise<void> {
  const scratch = `${built}.partial`;
  await rm(scratch, { recursive: true, force: true });
  await mkdir(scratch);
  await copyFile(join(objects, "bin/llama-server"), join(scratch, "llama-server"));
  await copyFile(join(source, "LICENSE"), join(scratch, "LICENSE"));
  await cp(join(source, "models/templates"), join(scratch, "templates"), { recursive: true });
  const check = Bun.spawnSync([join(scratch, "llama-server"), "--version"]);
  if (check.exitCode !== 0) throw new Error("llama-server was built but does not run");
  await rename(scratch, built);
}
