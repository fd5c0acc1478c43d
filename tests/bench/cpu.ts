import { readdirSync, readFileSync } from "node:fs";

/** Linux counts a process's time in these, whatever its kernel's own clock. */
const TICK_MS = 10;

/** Milliseconds of CPU time that processes have used so far, all threads; null where the system has no `/proc`. */
export function cpuMs(pids: readonly number[]): number | null {
  if (process.platform !== "linux") return null;
  return pids.reduce((sum, pid) => {
    const fields = statFields(pid);
    return sum + (Number(fields[UTIME]) + Number(fields[STIME])) * TICK_MS;
  }, 0);
}

/** This process and the programs that it has started itself under a name. */
export function ownProcesses(name: string): number[] {
  if (process.platform !== "linux") return [process.pid];
  const children = readdirSync("/proc")
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && isOwnChild(pid, name));
  return [process.pid, ...children];
}

/** Places in `/proc/PID/stat` behind the name, which may hold anything. */
const PARENT = 1;
const UTIME = 11;
const STIME = 12;

function isOwnChild(pid: number, name: string): boolean {
  try {
    const isNamed = readFileSync(`/proc/${pid}/comm`, "utf8").trim() === name;
    return isNamed && Number(statFields(pid)[PARENT]) === process.pid;
  } catch {
    return false; // It has ended since the folder was listed.
  }
}

function statFields(pid: number): string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}
