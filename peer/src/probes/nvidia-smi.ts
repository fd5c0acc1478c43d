import type { Gpu, GpuProcess } from "../lending/readings";
import type { Machine } from "./machine";
import { type Monitored, readMonitor } from "./nvidia-pmon";
import { type Probe, TOOL_LIMIT_MS } from "./probe";

const GPU_FIELDS =
  "name,driver_version,utilization.gpu,memory.total,memory.free,temperature.gpu" as const;
const PROCESS_FIELDS = "pid,process_name,used_memory" as const;
const FORMAT = "--format=csv,noheader,nounits";

/**
 * NVIDIA's GPUs on Linux and Windows. With MIG, load is `[N/A]`; inside a container, so are the programs. `monitors`: also
 * how much each program uses them, and those that only draw, such as games.
 */
export function nvidiaSmi({ monitors }: { readonly monitors: boolean }): Probe<"gpu"> {
  return {
    signal: "gpu",
    source: "nvidia-smi",
    async read(machine) {
      const [gpuText, processText, monitored] = await Promise.all([
        machine.run(["nvidia-smi", `--query-gpu=${GPU_FIELDS}`, FORMAT], TOOL_LIMIT_MS),
        machine.run(
          ["nvidia-smi", `--query-compute-apps=${PROCESS_FIELDS}`, FORMAT],
          TOOL_LIMIT_MS,
        ),
        monitors ? readMonitor(machine) : [],
      ]);
      if (!gpuText.ok) return gpuText;
      const gpus = parseGpus(gpuText.value);
      if (gpus === undefined) return { ok: false, reason: "garbage" };
      if (gpus.length === 0) return { ok: false, reason: "none" };
      const listed = processText.ok ? parseProcesses(processText.value) : undefined;
      if (listed === undefined) return { ok: true, value: { gpus } };
      const named = await Promise.all(listed.map((each) => withScript(machine, each)));
      return { ok: true, value: { gpus, processes: withLoads(named, monitored) } };
    },
  };
}

/** A Python may be anybody's or an engine: only its arguments tell. */
async function withScript(machine: Machine, process: GpuProcess): Promise<GpuProcess> {
  if (!/python[\d.]*$/.test(process.name)) return process;
  const command = await machine.read(`/proc/${process.pid}/cmdline`);
  const name = command.ok ? command.value.replaceAll("\0", " ").trim() : "";
  return name === "" ? process : { ...process, name };
}

/** `undefined` for what is not of this format; a value that the driver does not know is absent. */
function parseGpus(text: string): readonly Gpu[] | undefined {
  return eachLine(text, (line) => {
    const cells = line.split(", ");
    // Only the name could hold a comma, and it comes first.
    const [driver, load, total, free, temperature] = cells.slice(-5);
    const name = cells.slice(0, -5).join(", ");
    if (name === "" || driver === undefined) return undefined;
    const facts = {
      driver: isUnknown(driver) ? undefined : driver,
      loadPercent: numberIn(load),
      vramTotalMib: numberIn(total),
      vramFreeMib: numberIn(free),
      temperatureC: numberIn(temperature),
    };
    return Object.values(facts).includes(null) ? undefined : { name, ...known(facts) };
  });
}

function parseProcesses(text: string): readonly GpuProcess[] | undefined {
  const processes = eachLine(text, (line) => {
    const [, pid = "", name = "", memory] = /^(\d+), (.+), ([^,]+)$/.exec(line) ?? [];
    const vramMib = numberIn(memory);
    if (pid === "" || vramMib === null) return undefined;
    return { pid: Number(pid), name, ...known({ vramMib }) };
  });
  // A program that may not be named, or lives in another container, may as well be the engine.
  return processes?.filter(({ name }) => !isUnknown(name));
}

/** Programs that compute have their whole name in the list; of the monitor's own only those that draw are added. */
function withLoads(
  listed: readonly GpuProcess[],
  monitored: readonly Monitored[],
): readonly GpuProcess[] {
  const loads = new Map(monitored.map(({ pid, loadPercent }) => [pid, loadPercent]));
  const pids = new Set(listed.map(({ pid }) => pid));
  const drawing = monitored.filter(({ pid, draws }) => draws && !pids.has(pid));
  return [
    ...listed.map((each) => ({ ...each, ...known({ loadPercent: loads.get(each.pid) }) })),
    ...drawing.map(({ pid, name, loadPercent }) => ({ pid, name, ...known({ loadPercent }) })),
  ];
}

function eachLine<Item>(
  text: string,
  parse: (line: string) => Item | undefined,
): readonly Item[] | undefined {
  const lines = text.split("\n").map((line) => line.trim());
  const items = lines.filter((line) => line !== "").map(parse);
  return items.every((item) => item !== undefined) ? items : undefined;
}

/** `[N/A]`, `[Not Supported]`, `[Unknown Error]`, `[GPU requires reset]`, `[Insufficient Permissions]`. */
function isUnknown(cell: string): boolean {
  return /^\[.*\]$|^N\/A$/.test(cell);
}

/** `null` for what is neither a number nor said to be unknown. */
function numberIn(cell: string | undefined): number | undefined | null {
  if (cell === undefined || isUnknown(cell)) return undefined;
  return /^\d+(\.\d+)?$/.test(cell) ? Number(cell) : null;
}

/** The fields that are known. */
function known<Fields extends object>(
  fields: Fields,
): { [Field in keyof Fields]?: Exclude<Fields[Field], null | undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Field in keyof Fields]?: Exclude<Fields[Field], null | undefined>;
  };
}
