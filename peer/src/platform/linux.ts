import { isAbsolute, join } from "node:path";
import { amd } from "../probes/amd";
import { cpuLoad } from "../probes/cpu-load";
import { linuxInput } from "../probes/linux-input";
import { nvidiaSmi } from "../probes/nvidia-smi";
import { powerSupply } from "../probes/power-supply";
import { watchLinuxSleep } from "./linux-sleep";
import type { Platform } from "./platform";

export const linux: Platform = {
  // The XDG base directory specification says to ignore relative paths.
  configFolder: ({ XDG_CONFIG_HOME: xdg }, homeFolder) =>
    xdg !== undefined && isAbsolute(xdg) ? xdg : join(homeFolder, ".config"),
  probes: () => [linuxInput, nvidiaSmi({ monitors: true }), amd(), powerSupply, cpuLoad()],
  watchSleep: watchLinuxSleep,
  pipeFolder: undefined,
  hasPosixModes: true,
  isTailscaleInterface: (name) => name.startsWith("tailscale"),
};
