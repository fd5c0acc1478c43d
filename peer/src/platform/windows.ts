import { win32 } from "node:path";
import type { Platform } from "./platform";

export const windows: Platform = {
  configFolder: ({ APPDATA }, homeFolder) =>
    APPDATA ?? win32.join(homeFolder, "AppData", "Roaming"),
  hasPosixModes: false,
  isTailscaleInterface: (name) => name.startsWith("Tailscale"),
};
