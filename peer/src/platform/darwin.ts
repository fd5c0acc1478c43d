import { join } from "node:path";
import { cpuLoad } from "../probes/cpu-load";
import { macGpu, macInput, macPower } from "../probes/mac";
import type { Platform } from "./platform";

export const darwin: Platform = {
  configFolder: (_env, homeFolder) => join(homeFolder, "Library", "Application Support"),
  probes: () => [macInput, macGpu, macPower, cpuLoad()],
  pipeFolder: undefined,
  hasPosixModes: true,
  // macOS gives every tunnel a name of its own choice.
  isTailscaleInterface: (name) => name.startsWith("utun"),
};
