import { isAbsolute, join } from "node:path";
import { cpuLoad } from "../probes/cpu-load";
import { nvidiaSmi } from "../probes/nvidia-smi";
import type { Platform } from "./platform";

export const linux: Platform = {
  // The XDG base directory specification says to ignore relative paths.
  configFolder: ({ XDG_CONFIG_HOME: xdg }, homeFolder) =>
    xdg !== undefined && isAbsolute(xdg) ? xdg : join(homeFolder, ".config"),
  probes: () => [cpuLoad(), nvidiaSmi],
  pipeFolder: undefined,
  hasPosixModes: true,
  isTailscaleInterface: (name) => name.startsWith("tailscale"),
};
