import { expect, it } from "vitest";
import { macGpu, macInput, macPower } from "#peer/probes/mac";
import { appleM1, desktopMac, hidIdle, intelMac, onAc, onBattery } from "./mac-outputs";
import { scriptedMachine } from "./scripted-machine";

const says = (text: string) => scriptedMachine(() => ({ tools: { ioreg: text, pmset: text } }));

it("reads when a key was pressed", async () => {
  expect(await macInput.read(says(hidIdle(4_217)))).toEqual({ ok: true, value: { idleMs: 4_217 } });
  expect(await macInput.read(says(hidIdle(9_000) + hidIdle(12)))).toMatchObject({
    value: { idleMs: 12 },
  });
  expect(await macInput.read(says("+-o Root\n"))).toEqual({ ok: false, reason: "garbage" });
});

it("reads Apple's own GPU, and several of an Intel Mac", async () => {
  expect(await macGpu.read(says(appleM1(41)))).toEqual({
    ok: true,
    value: { gpus: [{ name: "Apple M1 Pro", loadPercent: 41 }] },
  });
  expect(await macGpu.read(says(intelMac))).toEqual({
    ok: true,
    value: {
      gpus: [
        { name: "Apple GPU", loadPercent: 2 },
        { name: "AMD Radeon Pro 5300M", loadPercent: 71, vramTotalMib: 4_096, vramFreeMib: 3_072 },
      ],
    },
  });
});

it("says so where there is no GPU, as in a virtual machine, and takes no garbage", async () => {
  expect(await macGpu.read(says(""))).toEqual({ ok: false, reason: "none" });
  expect(await macGpu.read(says("usage: ioreg [-abfilrtx]\n"))).toEqual({
    ok: false,
    reason: "garbage",
  });
});

it.each([
  [onAc, false],
  [onBattery, true],
  [desktopMac, false],
])("reads what it draws from: %j", async (text, isOnBattery) => {
  expect(await macPower.read(says(text))).toEqual({ ok: true, value: { isOnBattery } });
});

it("takes no garbage for a battery, and says what it lacks", async () => {
  expect(await macPower.read(says("pmset: no\n"))).toEqual({ ok: false, reason: "garbage" });
  const bare = scriptedMachine(() => ({}));
  for (const probe of [macInput, macGpu, macPower]) {
    expect(await probe.read(bare)).toEqual({ ok: false, reason: "absent" });
  }
});
