import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { embedDawn } from "./embed-dawn";
import { signMachO } from "./sign-mach-o";

export type CompileOptions = {
  /** The repository. */
  readonly root: string;
  readonly outfile: string;
  /** Another platform and Bun's executable for it; `undefined`: this machine's own. */
  readonly foreign?: { readonly target: Bun.Build.CompileTarget; readonly executable: string };
};

/** Makes one executable; `outfile` appears whole or not at all. */
export async function compile({ root, outfile, foreign }: CompileOptions): Promise<void> {
  const cache = join(root, ".cache");
  await mkdir(cache, { recursive: true });
  await mkdir(dirname(outfile), { recursive: true });
  const folder = await mkdtemp(join(cache, "build-"));
  try {
    const built = join(folder, basename(outfile));
    await Bun.build({
      // Threads are entry points of their own, and lie beside the main one.
      entrypoints: [
        join(root, "peer", "src", "bin.ts"),
        join(root, "peer", "src", "hardware", "cpu-thread.ts"),
      ],
      naming: { entry: "[name].[ext]" },
      plugins: [embedDawn(root, foreign?.target ?? ownTarget())],
      target: "bun",
      minify: true,
      // Goes into the executable, too: stack traces under TROOP_DEBUG=1 name the sources.
      sourcemap: "linked",
      // Halves the start-up. Made for another platform it is known to crash there, so only for this one.
      bytecode: foreign === undefined,
      format: "esm",
      compile: {
        outfile: built,
        ...(foreign && { target: foreign.target, executablePath: foreign.executable }),
        // With these on, the executable would run a preload and read variables from whatever folder
        // it is started in.
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    });
    if (foreign?.target.includes("darwin") ?? process.platform === "darwin") {
      await Bun.write(built, signMachO(await Bun.file(built).bytes(), "troop"));
      await chmod(built, 0o755);
    }
    await rename(built, outfile);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** As Bun names targets; which C library a Linux has makes no difference to what is tried, only to whether it loads. */
function ownTarget(): string {
  return `bun-${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
}
