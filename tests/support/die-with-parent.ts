export type DieWithParent = {
  readonly command: readonly string[];
  /** What the kernel sends the program when this process is gone. */
  readonly signal: "SIGTERM" | "SIGINT" | "SIGKILL";
  /** Starts the program as this user; only root can. */
  readonly user?: string;
};

/** The command such that it ends with this process even if that is killed; on Linux, where the kernel can. */
export function dieWithParent({ command, signal, user }: DieWithParent): string[] {
  const setpriv = process.platform === "linux" ? Bun.which("setpriv") : null;
  if (setpriv === null) {
    if (user !== undefined) throw new Error(`cannot run as ${user}: setpriv is missing`);
    return [...command];
  }
  const identity =
    user === undefined ? [] : ["--reuid", user, "--regid", groupOf(user), "--clear-groups"];
  return [setpriv, ...identity, "--pdeathsig", signal.slice("SIG".length), ...command];
}

function groupOf(user: string): string {
  return Bun.spawnSync(["id", "-g", user]).stdout.toString().trim();
}
