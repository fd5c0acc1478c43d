import type { Probe } from "./probe";

/** The load of all cores together since the look before; the first look knows none. */
export function cpuLoad(): Probe<"cpu"> {
  let before: { readonly idleMs: number; readonly busyMs: number } | undefined;
  return {
    signal: "cpu",
    source: "processor times",
    async read(machine) {
      const now = machine.cpuTimes();
      const busyMs = now.busyMs - (before?.busyMs ?? now.busyMs);
      const idleMs = now.idleMs - (before?.idleMs ?? now.idleMs);
      const isFirst = before === undefined;
      before = now;
      if (isFirst) return { ok: true, value: { loadPercent: 0 } };
      // Some sandboxes tell zeros.
      if (busyMs + idleMs <= 0) return { ok: false, reason: "none" };
      return { ok: true, value: { loadPercent: (100 * busyMs) / (busyMs + idleMs) } };
    },
  };
}
