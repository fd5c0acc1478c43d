import type { Gpu } from "../lending/readings";
import { type Probe, TOOL_LIMIT_MS } from "./probe";

const NS_PER_MS = 1_000_000;
const MIB = 1_048_576;

/** Keyboard and mouse of a Mac, from the registry of its devices. */
export const macInput: Probe<"input"> = {
  signal: "input",
  source: "ioreg",
  async read(machine) {
    const text = await machine.run(["ioreg", "-c", "IOHIDSystem", "-d", "4"], TOOL_LIMIT_MS);
    if (!text.ok) return text;
    const times = [...text.value.matchAll(/"HIDIdleTime" = (\d+)/g)].map(([, ns]) => Number(ns));
    if (times.length === 0) return { ok: false, reason: "garbage" };
    return { ok: true, value: { idleMs: Math.floor(Math.min(...times) / NS_PER_MS) } };
  },
};

/** The GPUs of a Mac. Who uses them it does not tell. */
export const macGpu: Probe<"gpu"> = {
  signal: "gpu",
  source: "ioreg",
  async read(machine) {
    const command = ["ioreg", "-r", "-c", "IOAccelerator", "-d", "1", "-w", "0"];
    const text = await machine.run(command, TOOL_LIMIT_MS);
    if (!text.ok) return text;
    const gpus = text.value
      .split(/^\+-o /m)
      .slice(1)
      .map(parseAccelerator);
    if (gpus.length > 0) return { ok: true, value: { gpus } };
    return { ok: false, reason: text.value.trim() === "" ? "none" : "garbage" };
  },
};

export const macPower: Probe<"power"> = {
  signal: "power",
  source: "pmset",
  async read(machine) {
    const text = await machine.run(["pmset", "-g", "batt"], TOOL_LIMIT_MS);
    if (!text.ok) return text;
    const source = /^Now drawing from '([^']+)'/m.exec(text.value)?.[1];
    if (source === undefined) return { ok: false, reason: "garbage" };
    return { ok: true, value: { isOnBattery: source === "Battery Power" } };
  },
};

/** Older ones of Intel Macs have memory of their own; where it is the machine's, none is told. */
function parseAccelerator(entry: string): Gpu {
  const number = (name: string): number | undefined => {
    const digits = new RegExp(`"${name}"\\s*=\\s*(\\d+)`).exec(entry)?.[1];
    return digits === undefined ? undefined : Number(digits);
  };
  const load = number("Device Utilization %") ?? number("GPU Activity\\(%\\)");
  const total = number("VRAM,totalMB");
  const freeBytes = number("vramFreeBytes");
  return {
    name: /"model" = (?:<?)"([^"]+)"/.exec(entry)?.[1] ?? "Apple GPU",
    ...(load !== undefined && { loadPercent: load }),
    ...(total !== undefined && { vramTotalMib: total }),
    ...(freeBytes !== undefined && { vramFreeMib: Math.floor(freeBytes / MIB) }),
  };
}
