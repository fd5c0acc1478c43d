/** A platform that releases are made for. */
export type ReleaseTarget = {
  readonly bunTarget: Bun.Build.CompileTarget;
  /** The npm package with Bun's own executable for it. */
  readonly bunPackage: string;
  readonly fileName: string;
};

/**
 * On x64 Bun 1.4 has one executable for all processors from SSE4.2 (2008) on, which picks AVX at
 * run time, so there is no choice to make between a baseline and a modern one.
 */
export const RELEASE_TARGETS: readonly ReleaseTarget[] = [
  { bunTarget: "bun-linux-x64", bunPackage: "@oven/bun-linux-x64", fileName: "troop-linux-x64" },
  {
    bunTarget: "bun-linux-arm64",
    bunPackage: "@oven/bun-linux-aarch64",
    fileName: "troop-linux-arm64",
  },
  {
    bunTarget: "bun-linux-x64-musl",
    bunPackage: "@oven/bun-linux-x64-musl",
    fileName: "troop-linux-x64-musl",
  },
  { bunTarget: "bun-darwin-x64", bunPackage: "@oven/bun-darwin-x64", fileName: "troop-macos-x64" },
  {
    bunTarget: "bun-darwin-arm64",
    bunPackage: "@oven/bun-darwin-aarch64",
    fileName: "troop-macos-arm64",
  },
  {
    bunTarget: "bun-windows-x64",
    bunPackage: "@oven/bun-windows-x64",
    fileName: "troop-windows-x64.exe",
  },
];
