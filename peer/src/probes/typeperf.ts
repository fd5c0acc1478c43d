import type { GpuProcess } from "../lending/readings";
import type { Machine } from "./machine";
import { type Probe, TOOL_LIMIT_MS } from "./probe";

const COUNTER = String.raw`\GPU Engine(*)\Utilization Percentage`;
/** It takes two samples, a second apart. */
const TYPEPERF_LIMIT_MS = 6_000;
const INSTANCE = /\(pid_(\d+)_(luid_\w+?_phys_\d+_eng_\d+)_engtype_/;

/** Windows: how much of any maker's GPU each program uses. Counters have these names on English systems only. */
export const typeperf: Probe<"gpu"> = {
  signal: "gpu",
  source: "typeperf",
  async read(machine) {
    const text = await machine.run(["typeperf", COUNTER, "-sc", "1"], TYPEPERF_LIMIT_MS);
    if (!text.ok) return text;
    const loads = parseLoads(text.value);
    if (loads === undefined) return { ok: false, reason: "garbage" };
    if (loads.length === 0) return { ok: false, reason: "none" };
    const names = await programNames(machine);
    const loadPercent = Math.min(100, mostPer(loads, ({ engine }) => engine).most);
    const processes: GpuProcess[] = [];
    for (const [pid, load] of mostPer(loads, ({ pid }) => pid).sums) {
      const name = names.get(pid);
      if (load > 0 && name !== undefined) processes.push({ pid, name, loadPercent: load });
    }
    // Counters know no names of GPUs: where another tool does, this entry is dropped.
    return { ok: true, value: { gpus: [{ name: "", loadPercent }], processes } };
  },
};

type Load = { readonly pid: number; readonly engine: string; readonly percent: number };

/** `undefined` for what is not of this format. */
function parseLoads(text: string): readonly Load[] | undefined {
  const lines = text.split(/\r?\n/).filter((line) => line.startsWith('"'));
  const [head, values] = lines.map((line) =>
    [...line.matchAll(/"([^"]*)"/g)].map(([, cell]) => cell),
  );
  if (head === undefined || values === undefined || !head[0]?.startsWith("(PDH-CSV"))
    return undefined;
  return head.flatMap((name, at) => {
    const [, pid, engine = ""] = INSTANCE.exec(name ?? "") ?? [];
    const percent = Number(values[at]?.trim());
    // A program that ended between the samples has no value.
    return pid === undefined || !Number.isFinite(percent)
      ? []
      : [{ pid: Number(pid), engine, percent }];
  });
}

/** What belongs together summed up, and the largest sum. */
function mostPer<Key>(
  loads: readonly Load[],
  keyOf: (load: Load) => Key,
): { readonly sums: ReadonlyMap<Key, number>; readonly most: number } {
  const sums = new Map<Key, number>();
  for (const load of loads) sums.set(keyOf(load), (sums.get(keyOf(load)) ?? 0) + load.percent);
  return { sums, most: Math.max(...sums.values()) };
}

/** `"game.exe","4711","Console","1","123,456 K"`. */
async function programNames(machine: Machine): Promise<ReadonlyMap<number, string>> {
  const text = await machine.run(["tasklist", "/fo", "csv", "/nh"], TOOL_LIMIT_MS);
  const lines = text.ok ? text.value.split(/\r?\n/) : [];
  return new Map(
    lines.flatMap((line): [number, string][] => {
      const [, name, pid] = /^"([^"]+)","(\d+)"/.exec(line) ?? [];
      return name === undefined ? [] : [[Number(pid), name]];
    }),
  );
}
