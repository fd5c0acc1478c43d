import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");

/** Runs a program of the repository with these variables, PATH and no others. */
export async function runProgram(
  path: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const run = Bun.spawn([process.execPath, join(ROOT, path), ...args], {
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [exit, out, err] = await Promise.all([
    run.exited,
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
  ]);
  return { exit, out, err };
}
