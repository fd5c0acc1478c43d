import { win32 } from "node:path";
import { cpuLoad } from "../probes/cpu-load";
import { nvidiaSmi } from "../probes/nvidia-smi";
import { typeperf } from "../probes/typeperf";
import { windowsInput, windowsPower } from "../probes/windows-user";
import type { Platform } from "./platform";

export const windows: Platform = {
  configFolder: ({ APPDATA }, homeFolder) =>
    APPDATA ?? win32.join(homeFolder, "AppData", "Roaming"),
  probes: () => [
    windowsInput(),
    nvidiaSmi({ monitors: false }),
    typeperf,
    windowsPower(),
    cpuLoad(),
  ],
  pipeFolder: "\\\\.\\pipe\\",
  hasPosixModes: false,
  isTailscaleInterface: (name) => name.startsWith("Tailscale"),
};
