import { expect, it } from "vitest";
import { optionalDependencies } from "bun/package.json";
import { RELEASE_TARGETS } from "../../../peer/build/targets";

it("releases for Linux on x64, musl and arm64, macOS on both, and Windows, from Bun's own packages", () => {
  expect(RELEASE_TARGETS.map(({ fileName }) => fileName)).toEqual([
    "troop-linux-x64",
    "troop-linux-arm64",
    "troop-linux-x64-musl",
    "troop-macos-x64",
    "troop-macos-arm64",
    "troop-windows-x64.exe",
  ]);
  for (const { bunPackage, bunTarget } of RELEASE_TARGETS) {
    expect(optionalDependencies).toHaveProperty([bunPackage]);
    // One that is built for another machine would start on none.
    const [system, processor] = bunTarget.split("-").slice(1);
    expect(bunPackage).toContain(`-${system}-${processor === "arm64" ? "aarch64" : processor}`);
    expect(bunPackage.endsWith("-musl")).toBe(bunTarget.endsWith("-musl"));
  }
});
