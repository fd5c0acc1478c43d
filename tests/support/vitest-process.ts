import { join } from "node:path";
import { dieWithParent } from "./die-with-parent";

export type VitestProcess = {
  readonly exitCode: Promise<number>;
  readonly stop: () => Promise<void>;
};

/** The program itself, not `bun run vitest`: that puts a process between, which signals do not pass. */
const VITEST = join(import.meta.dirname, "../../node_modules/vitest/vitest.mjs");

/** Runs vitest under Bun with these settings added to the environment. */
export function startVitest(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): VitestProcess {
  const command = [process.execPath, "--bun", VITEST, "run", ...args];
  const child = Bun.spawn(dieWithParent({ command, signal: "SIGTERM" }), {
    env: { ...process.env, ...env },
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null) child.kill("SIGTERM");
    await child.exited;
  };
  return { exitCode: child.exited, stop };
}
