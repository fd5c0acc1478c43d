import { createHash } from "node:crypto";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { lockedIntegrity } from "./locked-integrity";

/**
 * Path of Bun's executable for another platform. The npm package comes through npm, so from the registry
 * that the user configured, and must have the hash that `bun.lockb` holds: what Bun would download
 * for `--target` by itself is checked against nothing.
 */
export async function bunExecutable(root: string, bunPackage: string): Promise<string> {
  const cache = join(root, ".cache", "bun");
  await mkdir(cache, { recursive: true });
  const spec = `${bunPackage}@${Bun.version}`;
  const integrity = lockedIntegrity(await run(root, [process.execPath, "bun.lockb"]), spec);
  if (integrity === undefined) throw new Error(`bun.lockb holds no hash of ${spec}.`);

  const tarball = join(cache, tarballName(bunPackage));
  if (!(await Bun.file(tarball).exists())) {
    process.stderr.write(`Fetching ${spec} …\n`);
    await run(cache, [npm(), "pack", spec, "--ignore-scripts", "--silent"]);
  }
  const bytes = await Bun.file(tarball).bytes();
  if (integrityOf(bytes) !== integrity) {
    await rm(tarball);
    throw new Error(`${spec} has not the hash that bun.lockb holds; it was deleted.`);
  }
  return extract(bytes, join(cache, tarballName(bunPackage).replace(/\.tgz$/, "")));
}

export function integrityOf(bytes: Uint8Array): string {
  return `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
}

async function extract(tarball: Uint8Array<ArrayBuffer>, folder: string): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await new Bun.Archive(tarball).extract(folder, { glob: "package/bin/bun*" });
  for (const name of ["bun", "bun.exe"]) {
    const path = join(folder, "package", "bin", name);
    if (!(await Bun.file(path).exists())) continue;
    await chmod(path, 0o755);
    return path;
  }
  throw new Error(`There is no Bun in the package extracted to ${folder}.`);
}

/** As `npm pack` names it. */
function tarballName(bunPackage: string): string {
  return `${bunPackage.replace("@", "").replace("/", "-")}-${Bun.version}.tgz`;
}

function npm(): string {
  const path = Bun.which("npm");
  if (path === null) throw new Error("npm is not on the PATH; --all fetches through it.");
  return path;
}

async function run(cwd: string, command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { cwd, stdout: "pipe", stderr: "inherit" });
  const output = await new Response(child.stdout).text();
  const exit = await child.exited;
  if (exit !== 0) throw new Error(`${command.slice(1).join(" ")} ended with ${exit}.`);
  return output;
}
