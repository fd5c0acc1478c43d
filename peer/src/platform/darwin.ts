import { join } from "node:path";
import type { Platform } from "./platform";

export const darwin: Platform = {
  configFolder: (_env, homeFolder) => join(homeFolder, "Library", "Application Support"),
  hasPosixModes: true,
  // macOS gives every tunnel a name of its own choice.
  isTailscaleInterface: (name) => name.startsWith("utun"),
};
