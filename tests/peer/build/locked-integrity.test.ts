import { expect, it } from "vitest";
import { integrityOf } from "../../../peer/build/bun-executable";
import { lockedIntegrity } from "../../../peer/build/locked-integrity";
import { RELEASE_TARGETS } from "../../../peer/build/targets";

const ROOT = new URL("../../../", import.meta.url).pathname;

it("finds in the lockfile a hash of Bun for each platform that releases are made for", async () => {
  const lockfile = await Bun.$`${process.execPath} bun.lockb`.cwd(ROOT).text();
  for (const { bunPackage } of RELEASE_TARGETS) {
    expect(lockedIntegrity(lockfile, `${bunPackage}@${Bun.version}`)).toMatch(/^sha512-.{86}==$/);
  }
});

it("does not take a neighbour's hash for a package that has none", () => {
  const lockfile = '"a@1":\n  version "1"\n\n"b@1":\n  version "1"\n  integrity sha512-bbbb\n';
  expect(lockedIntegrity(lockfile, "a@1")).toBeUndefined();
  expect(lockedIntegrity(lockfile, "b@1")).toBe("sha512-bbbb");
  expect(lockedIntegrity(lockfile, "c@1")).toBeUndefined();
});

it("spells a hash as lockfiles do", () => {
  expect(integrityOf(new Uint8Array())).toBe(
    "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg==",
  );
});
