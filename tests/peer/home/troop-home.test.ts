import { expect, it } from "vitest";
import { troopHome } from "#peer/home/troop-home";
import { darwin } from "#peer/platform/darwin";
import { linux } from "#peer/platform/linux";
import { type Platform, platformNamed } from "#peer/platform/platform";
import { windows } from "#peer/platform/windows";

const HOME = "/home/ada";

it.each<[string, Platform, Record<string, string>, string]>([
  ["Linux", linux, {}, "/home/ada/.config/troop"],
  ["Linux with XDG_CONFIG_HOME", linux, { XDG_CONFIG_HOME: "/cfg" }, "/cfg/troop"],
  [
    "Linux with a relative XDG_CONFIG_HOME",
    linux,
    { XDG_CONFIG_HOME: "cfg" },
    "/home/ada/.config/troop",
  ],
  ["macOS", darwin, { XDG_CONFIG_HOME: "/cfg" }, "/home/ada/Library/Application Support/troop"],
])("lies in the config folder of %s", (_name, platform, env, expected) => {
  expect(troopHome(env, platform, HOME)).toBe(expected);
});

it("lies in the roaming profile on Windows", () => {
  const ada = String.raw`C:\Users\ada`;
  const roaming = String.raw`C:\Users\ada\AppData\Roaming`;
  expect(windows.configFolder({ APPDATA: roaming }, ada)).toBe(roaming);
  expect(windows.configFolder({}, ada)).toBe(roaming);
});

it("is where TROOP_HOME says on every platform, as an absolute path", () => {
  expect(troopHome({ TROOP_HOME: "/srv/troop" }, darwin, HOME)).toBe("/srv/troop");
  expect(troopHome({ TROOP_HOME: "here" }, linux, HOME)).toBe(`${process.cwd()}/here`);
  expect(troopHome({ TROOP_HOME: "" }, linux, HOME)).toBe("/home/ada/.config/troop");
});

it("takes other systems for a Unix with XDG folders", () => {
  expect(platformNamed("freebsd")).toBe(linux);
  expect(platformNamed("win32")).toBe(windows);
  expect(platformNamed("darwin")).toBe(darwin);
});
