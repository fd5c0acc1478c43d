import { z } from "zod";
import { parseJson } from "../engines/engine-reader";
import type { Gpu, GpuProcess } from "../lending/readings";
import type { Machine } from "./machine";
import { type Probe, TOOL_LIMIT_MS } from "./probe";

const DRM = "/sys/class/drm";
const AMD_VENDOR = "0x1002";
const MIB = 1_048_576;
/** rocm-smi is a Python that takes half a second of a core, so it is asked at one look in so many. */
const ASK_EVERY = 5;

/** AMD's GPUs on Linux: load and memory from the kernel, programs from rocm-smi where it is installed. */
export function amd(): Probe<"gpu"> {
  let looks = 0;
  let processes: readonly GpuProcess[] | undefined;
  return {
    signal: "gpu",
    source: "amdgpu",
    async read(machine) {
      const cards = (await machine.list(DRM)).filter((name) => /^card\d+$/.test(name));
      const found = await Promise.all(
        cards.map((card) => readCard(machine, `${DRM}/${card}/device`)),
      );
      const gpus = found.filter((gpu) => gpu !== undefined);
      if (gpus.length === 0) return { ok: false, reason: "none" };
      if (looks % ASK_EVERY === 0) processes = await readProcesses(machine);
      looks += 1;
      return { ok: true, value: { gpus, ...(processes !== undefined && { processes }) } };
    },
  };
}

/** `undefined` where it is another maker's. */
async function readCard(machine: Machine, folder: string): Promise<Gpu | undefined> {
  const fact = async (file: string): Promise<string | undefined> => {
    const text = await machine.read(`${folder}/${file}`);
    return text.ok ? text.value.trim() : undefined;
  };
  if ((await fact("vendor")) !== AMD_VENDOR) return undefined;
  const number = async (file: string): Promise<number | undefined> => {
    const text = await fact(file);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const hwmon = (await machine.list(`${folder}/hwmon`))[0];
  const [load, total, used, heat, product] = await Promise.all([
    number("gpu_busy_percent"),
    number("mem_info_vram_total"),
    number("mem_info_vram_used"),
    hwmon === undefined ? undefined : number(`hwmon/${hwmon}/temp1_input`),
    fact("product_name"),
  ]);
  return {
    name: product === undefined || product === "" ? "AMD GPU" : product,
    ...(load !== undefined && { loadPercent: load }),
    ...(total !== undefined && { vramTotalMib: Math.floor(total / MIB) }),
    ...(total !== undefined &&
      used !== undefined && { vramFreeMib: Math.floor((total - used) / MIB) }),
    ...(heat !== undefined && { temperatureC: Math.round(heat / 1_000) }),
  };
}

/** `{"system": {"PID4711": "python3, 1, 8589934592, 0, 31"}}`: name, GPUs, bytes, and two that we do not need. */
const ShownPids = z.looseObject({ system: z.record(z.string(), z.string()) });

async function readProcesses(machine: Machine): Promise<readonly GpuProcess[] | undefined> {
  const shown = await machine.run(["rocm-smi", "--showpids", "--json"], TOOL_LIMIT_MS);
  if (!shown.ok) return undefined;
  // Warnings may stand before it, and with nobody on the GPU there is no JSON at all.
  const parsed = ShownPids.safeParse(parseJson(shown.value.slice(shown.value.indexOf("{"))));
  if (!parsed.success) return /No KFD PIDs|No JSON data/i.test(shown.value) ? [] : undefined;
  return Object.entries(parsed.data.system).flatMap(([key, text]) => {
    const pid = /^PID(\d+)$/.exec(key)?.[1];
    const [, name = "", bytes] = /^(.+?),\s*\d+,\s*(\d+)/.exec(text) ?? [];
    if (pid === undefined || name === "" || name === "UNKNOWN") return [];
    return [{ pid: Number(pid), name, vramMib: Math.floor(Number(bytes) / MIB) }];
  });
}
