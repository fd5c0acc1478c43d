import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { embedDawn } from "../../../../peer/build/embed-dawn";
import { DAWN_SHA256, dawnFolder, readChecked } from "#peer/hardware/gpu/load-dawn";
import { temporaryFolder } from "../../home/temporary-folder";

const ROOT = join(import.meta.dirname, "../../../..");
const addon = (folder: string) => join(ROOT, "node_modules/webgpu/dist", folder, "dawn.node");

it("knows the addon of every system that the package has one for", async () => {
  for (const [folder, sha256] of Object.entries(DAWN_SHA256)) {
    expect((await readChecked(addon(folder), sha256)).length).toBeGreaterThan(1_000_000);
  }
  expect(Object.keys(DAWN_SHA256)).toContain(dawnFolder("darwin", "arm64"));
  expect(Object.keys(DAWN_SHA256)).toContain(dawnFolder("linux", "x64"));
});

it("loads no addon that was cut off, and none that is not there", async () => {
  const file = join(await temporaryFolder(), "dawn.node");
  const sha256 = DAWN_SHA256["linux-x64"];
  await Bun.write(file, Bun.file(addon("linux-x64")));
  await truncate(file, 1_000_000);
  await expect(readChecked(file, sha256)).rejects.toMatchObject({
    name: "NoGpu",
    message: "its addon is not the one that was tested; install troop again",
  });
  await expect(readChecked(`${file}.gone`, sha256)).rejects.toMatchObject({ name: "NoGpu" });
  await expect(readChecked(addon("linux-x64"), undefined)).rejects.toMatchObject({ name: "NoGpu" });
});

it.each([
  ["bun-linux-x64", "linux-x64"],
  ["bun-linux-arm64", "linux-arm64"],
  ["bun-darwin-x64", "darwin-universal"],
  ["bun-darwin-arm64", "darwin-universal"],
  ["bun-windows-x64", "win32-x64"],
  ["bun-linux-x64-musl", undefined],
])("%s carries the addon of %s", async (target, folder) => {
  let contents = "";
  const build = {
    onLoad: (_filter: unknown, load: () => { contents: string }) => ({ contents } = load()),
  };
  await embedDawn(ROOT, target).setup(build as unknown as Bun.PluginBuilder);
  if (folder === undefined) expect(contents).toContain("undefined");
  else expect(contents).toContain(JSON.stringify(addon(folder)));
});
