import { existsSync } from "node:fs";
import { join } from "node:path";
import { dawnFolder } from "../src/hardware/gpu/load-dawn";

/**
 * Puts the addon of the GPU path into an executable for that platform. Where there is none, also where the optional package
 * was not installed, the executable has the CPU path alone.
 */
export function embedDawn(root: string, platform: string): Bun.BunPlugin {
  const path = addonFor(root, platform);
  return {
    name: "embed-dawn",
    setup(build) {
      build.onLoad({ filter: /embedded-dawn\.ts$/ }, () => ({
        loader: "ts",
        contents:
          path === undefined
            ? "export const EMBEDDED_DAWN = undefined;"
            : `import path from ${JSON.stringify(path)} with { type: "file" }; export const EMBEDDED_DAWN = path;`,
      }));
    },
  };
}

/** `platform`: as Bun names targets, `bun-windows-x64`. */
function addonFor(root: string, platform: string): string | undefined {
  const [, os = "", arch = "", libc] = platform.split("-");
  // The package's addon for Linux needs glibc.
  if (libc === "musl") return undefined;
  const folder = dawnFolder(os === "windows" ? "win32" : os, arch);
  const path = join(root, "node_modules", "webgpu", "dist", folder, "dawn.node");
  return existsSync(path) ? path : undefined;
}
