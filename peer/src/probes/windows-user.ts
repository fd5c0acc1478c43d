import { dlopen, FFIType, ptr } from "bun:ffi";
import type { Probe } from "./probe";

/** What Windows tells about its user; `undefined` where it refuses. */
export type WindowsUser = {
  /** Milliseconds since the start in 32 bits, now and at the last input. */
  readonly ticks: () => { readonly now: number; readonly lastInput: number } | undefined;
  /** `ACLineStatus`: 0 on battery, 1 plugged in, 255 unknown. */
  readonly acLine: () => number | undefined;
};

/** `user32.dll` and `kernel32.dll`, loaded at the first question. Throws where they are not, as on other systems. */
export type LoadWindowsUser = () => WindowsUser;

export function windowsInput(load: LoadWindowsUser = loadLibraries): Probe<"input"> {
  return {
    signal: "input",
    source: "GetLastInputInfo",
    read: async () =>
      asked(() => {
        const ticks = load().ticks();
        // The counter starts anew after 49 days.
        return ticks && { idleMs: (ticks.now - ticks.lastInput + 2 ** 32) % 2 ** 32 };
      }),
  };
}

export function windowsPower(load: LoadWindowsUser = loadLibraries): Probe<"power"> {
  return {
    signal: "power",
    source: "GetSystemPowerStatus",
    read: async () =>
      asked(() => {
        const line = load().acLine();
        return line === 0 || line === 1 ? { isOnBattery: line === 0 } : undefined;
      }),
  };
}

type Asked<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly reason: "absent" | "none" };

function asked<Value>(ask: () => Value | undefined): Asked<Value> {
  try {
    const value = ask();
    return value === undefined ? { ok: false, reason: "none" } : { ok: true, value };
  } catch {
    return { ok: false, reason: "absent" }; // No Windows, or one without these libraries.
  }
}

let loaded: WindowsUser | undefined;

function loadLibraries(): WindowsUser {
  loaded ??= open();
  return loaded;
}

function open(): WindowsUser {
  const user = dlopen("user32.dll", {
    GetLastInputInfo: { args: [FFIType.ptr], returns: FFIType.i32 },
  });
  const kernel = dlopen("kernel32.dll", {
    GetTickCount: { args: [], returns: FFIType.u32 },
    GetSystemPowerStatus: { args: [FFIType.ptr], returns: FFIType.i32 },
  });
  return {
    ticks() {
      // LASTINPUTINFO: its own size, then the tick.
      const info = new Uint32Array([8, 0]);
      if (user.symbols.GetLastInputInfo(ptr(info)) === 0) return undefined;
      return { now: kernel.symbols.GetTickCount(), lastInput: info[1] ?? 0 };
    },
    acLine() {
      // SYSTEM_POWER_STATUS; its first byte is ACLineStatus.
      const status = new Uint8Array(12);
      return kernel.symbols.GetSystemPowerStatus(ptr(status)) === 0 ? undefined : status[0];
    },
  };
}
