import { expect, it } from "vitest";
import { powerSupply } from "#peer/probes/power-supply";
import { powerSupplies, type Supply } from "./linux-outputs";
import { scriptedMachine } from "./scripted-machine";

const read = (supplies: Readonly<Record<string, Supply>>) =>
  powerSupply.read(scriptedMachine(() => ({ files: powerSupplies(supplies) })));
const battery = (status: string) => ({ type: "Battery", status, scope: "System" });

it.each<[string, Record<string, Supply>, boolean]>([
  [
    "a laptop that is plugged in",
    { AC: { type: "Mains", online: "1" }, BAT0: battery("Charging") },
    false,
  ],
  ["a full one", { AC: { type: "Mains", online: "1" }, BAT0: battery("Full") }, false],
  ["one on battery", { AC: { type: "Mains", online: "0" }, BAT0: battery("Discharging") }, true],
  [
    "one charged over USB-C",
    { "ucsi-source-psy-1": { type: "USB", online: "1" }, BAT0: battery("Discharging") },
    false,
  ],
  [
    "one with two batteries",
    {
      AC: { type: "Mains", online: "0" },
      BAT0: battery("Not charging"),
      BAT1: { type: "Battery", status: "Discharging" },
    },
    true,
  ],
])("knows %s", async (_, supplies, isOnBattery) => {
  expect(await read(supplies)).toEqual({ ok: true, value: { isOnBattery } });
});

it("does not take a mouse's battery for the machine's", async () => {
  const mouse = { type: "Battery", status: "Discharging", scope: "Device" };
  expect(await read({ hidpp_battery_0: mouse })).toEqual({ ok: false, reason: "none" });
  expect(await read({})).toEqual({ ok: false, reason: "none" });
});
