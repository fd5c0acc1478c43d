import { expect, it } from "vitest";
import { typeperf } from "#peer/probes/typeperf";
import { windowsInput, windowsPower, type WindowsUser } from "#peer/probes/windows-user";
import { scriptedMachine } from "./scripted-machine";
import { tasklistCsv, typeperfCsv } from "./windows-outputs";

const nothing = scriptedMachine(() => ({}));
const read = (
  text: string,
  tasks = tasklistCsv({ 4: "System", 700: "game.exe", 900: "ollama.exe" }),
) => typeperf.read(scriptedMachine(() => ({ tools: { typeperf: text, tasklist: tasks } })));

it("sums each program's share over the GPU's engines, and the busiest engine's over programs", async () => {
  const text = typeperfCsv([
    { pid: 700, percent: 60 },
    { pid: 700, engine: 2, type: "Copy", percent: 5 },
    { pid: 900, percent: 30.5 },
    { pid: 4, percent: 0 },
    { pid: 4711, percent: 1 },
    { pid: 700, engine: 3, percent: "" },
  ]);
  expect(await read(text)).toEqual({
    ok: true,
    value: {
      gpus: [{ name: "", loadPercent: 91.5 }],
      processes: [
        { pid: 700, name: "game.exe", loadPercent: 65 },
        { pid: 900, name: "ollama.exe", loadPercent: 30.5 },
      ],
    },
  });
});

it("knows the load where the programs have no names", async () => {
  expect(await read(typeperfCsv([{ pid: 1, percent: 50 }]), "INFO: No tasks")).toMatchObject({
    value: { gpus: [{ loadPercent: 50 }], processes: [] },
  });
});

it("says that there is no GPU, no counter of that name, or something else altogether", async () => {
  expect(await read(typeperfCsv([]))).toEqual({ ok: false, reason: "none" });
  expect(await read("Error: No valid counters.\r\n")).toEqual({ ok: false, reason: "garbage" });
  expect(await read('"x","y"\r\n"1","2"\r\n')).toEqual({ ok: false, reason: "garbage" });
  expect(await typeperf.read(nothing)).toEqual({ ok: false, reason: "absent" });
});

const user = (told: Partial<WindowsUser>) => () => ({
  ticks: () => undefined,
  acLine: () => undefined,
  ...told,
});

it("counts from the last input, also where the counter has started anew", async () => {
  const idle = async (now: number, lastInput: number) =>
    windowsInput(user({ ticks: () => ({ now, lastInput }) })).read(nothing);
  expect(await idle(90_000, 88_500)).toEqual({ ok: true, value: { idleMs: 1_500 } });
  expect(await idle(700, 2 ** 32 - 300)).toEqual({ ok: true, value: { idleMs: 1_000 } });
});

it.each([
  [0, { ok: true, value: { isOnBattery: true } }],
  [1, { ok: true, value: { isOnBattery: false } }],
  [255, { ok: false, reason: "none" }],
])("reads the line's state %i", async (line, expected) => {
  expect(await windowsPower(user({ acLine: () => line })).read(nothing)).toEqual(expected);
});

it("knows nothing where Windows refuses, or is none", async () => {
  expect(await windowsInput(user({})).read(nothing)).toEqual({ ok: false, reason: "none" });
  const missing = () => {
    throw new Error("user32.dll cannot be opened");
  };
  expect(await windowsInput(missing).read(nothing)).toEqual({ ok: false, reason: "absent" });
  expect(await windowsPower(missing).read(nothing)).toEqual({ ok: false, reason: "absent" });
});
