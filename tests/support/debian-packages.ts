import { existsSync } from "node:fs";
import { rm, writeFile } from "node:fs/promises";

/** A program that a script needs, and the Debian package that holds it. */
export type NeededProgram = { readonly isPresent: () => boolean; readonly debianPackage: string };

export function commandInPath(command: string): () => boolean {
  return () => Bun.which(command) !== null;
}

/** Read by Debian's package scripts; exit code 101 forbids them to start services. */
const SERVICE_POLICY = "/usr/sbin/policy-rc.d";

/** Installs what is missing when this is root on Debian; otherwise throws one line that says what to run. */
export async function ensureDebianPackages(programs: readonly NeededProgram[]): Promise<void> {
  const packages = missingPackages(programs);
  if (packages.length === 0) return;

  const hint = `apt-get install --no-install-recommends ${packages.join(" ")}`;
  if (Bun.which("apt-get") === null || process.getuid?.() !== 0) {
    throw new Error(`these programs are missing; install them, on Debian with: sudo ${hint}`);
  }

  console.log(`installing ${packages.join(", ")} …`);
  await withoutStartingServices(async () => {
    await aptGet(["update"]);
    await aptGet(["install", "--yes", "--no-install-recommends", ...packages]);
  });
  const left = missingPackages(programs);
  if (left.length > 0) throw new Error(`still missing after the installation: ${left.join(", ")}`);
}

function missingPackages(programs: readonly NeededProgram[]): string[] {
  return programs.filter(({ isPresent }) => !isPresent()).map((program) => program.debianPackage);
}

async function withoutStartingServices(install: () => Promise<void>): Promise<void> {
  if (existsSync(SERVICE_POLICY)) return install();
  await writeFile(SERVICE_POLICY, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    await install();
  } finally {
    await rm(SERVICE_POLICY, { force: true });
  }
}

async function aptGet(args: readonly string[]): Promise<void> {
  const child = Bun.spawn(["apt-get", "--quiet=2", ...args], {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [output, problems] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) {
    throw new Error(`apt-get ${args.join(" ")} failed:\n${output}${problems}`);
  }
}
