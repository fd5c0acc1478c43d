import type { Machine } from "./machine";

/** A program as the monitor shows it. */
export type Monitored = {
  readonly pid: number;
  /** Cut off after some characters. */
  readonly name: string;
  /** It draws, and may compute, too. */
  readonly draws: boolean;
  readonly loadPercent: number | undefined;
};

/** It looks for a second. */
const PMON_LIMIT_MS = 4_000;

/** What `nvidia-smi pmon` sees in a second; nothing where it does not work, as with MIG. */
export async function readMonitor(machine: Machine): Promise<readonly Monitored[]> {
  const text = await machine.run(["nvidia-smi", "pmon", "-c", "1", "-s", "u"], PMON_LIMIT_MS);
  return text.ok ? parseMonitor(text.value) : [];
}

/** The head names the columns, which differ by version; the last one is the program's name, which may hold spaces. */
function parseMonitor(text: string): readonly Monitored[] {
  const lines = text.split("\n");
  const head = lines.find((line) => /^#\s*gpu\b/.test(line));
  const columns = head?.replace("#", "").trim().split(/\s+/) ?? [];
  const [pidAt, typeAt, loadAt] = ["pid", "type", "sm"].map((name) => columns.indexOf(name));
  const nameAt = columns.indexOf("command");
  if (pidAt === undefined || pidAt < 0 || nameAt < 0) return [];
  return lines.flatMap((line): Monitored[] => {
    const cells = line.trim().split(/\s+/);
    const pid = Number(cells[pidAt]);
    if (line.startsWith("#") || !Number.isInteger(pid) || cells.length <= nameAt) return [];
    const load = Number(cells[loadAt ?? -1]);
    return [
      {
        pid,
        name: cells.slice(nameAt).join(" "),
        draws: (cells[typeAt ?? -1] ?? "").includes("G"),
        loadPercent: Number.isFinite(load) ? load : undefined,
      },
    ];
  });
}
