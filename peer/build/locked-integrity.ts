/**
 * Reads from a lockfile in yarn's text form (`bun bun.lockb` prints it) the integrity of a package,
 * `sha512-…`; `undefined` where the lockfile does not hold it.
 */
export function lockedIntegrity(lockfile: string, spec: string): string | undefined {
  const lines = lockfile.split("\n");
  const start = lines.indexOf(`"${spec}":`);
  if (start === -1) return undefined;
  for (const line of lines.slice(start + 1)) {
    if (!line.startsWith("  ")) return undefined;
    const match = /^ {2}integrity (sha512-[A-Za-z0-9+/=]+)$/.exec(line);
    if (match !== null) return match[1];
  }
  return undefined;
}
