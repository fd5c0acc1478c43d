import { readFile } from "node:fs/promises";

const MIB = 1_024;

/**
 * Resident memory of a process in MiB: now (`VmRSS`) or the most it ever had (`VmHWM`). Null where the system has
 * no `/proc`.
 */
export async function residentMib(pid: number, field: "VmRSS" | "VmHWM"): Promise<number | null> {
  if (process.platform !== "linux") return null;
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
  return kib === undefined ? null : Number(kib) / MIB;
}
