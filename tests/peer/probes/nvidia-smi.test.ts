import { expect, it } from "vitest";
import { nvidiaSmi } from "#peer/probes/nvidia-smi";
import { NVIDIA, NVIDIA_GARBAGE, type NvidiaOutput, nvidiaTools, PMON } from "./nvidia-outputs";
import { type Script, scriptedMachine } from "./scripted-machine";

const PROBE = nvidiaSmi({ monitors: true });

const read = (output: NvidiaOutput, files: Script["files"] = {}) =>
  PROBE.read(scriptedMachine(() => ({ tools: nvidiaTools(output), files })));

it("reads an idle GPU of an old driver", async () => {
  expect(await read(NVIDIA.driver470OneGpuIdle)).toEqual({
    ok: true,
    value: {
      gpus: [
        {
          name: "NVIDIA GeForce GTX 1080 Ti",
          driver: "470.256.02",
          loadPercent: 0,
          vramTotalMib: 11_178,
          vramFreeMib: 10_871,
          temperatureC: 38,
        },
      ],
      processes: [],
    },
  });
});

it("reads several GPUs and who uses them", async () => {
  expect(await read(NVIDIA.driver535TwoGpusOllama)).toMatchObject({
    value: {
      gpus: [{ loadPercent: 97 }, { loadPercent: 2, name: "NVIDIA GeForce RTX 3060" }],
      processes: [{ pid: 20_871, name: "/usr/lib/ollama/ollama_llama_server", vramMib: 20_842 }],
    },
  });
});

it("tells a Python's work by its arguments, where it may read them", async () => {
  const files = { "/proc/3120/cmdline": "python3\0-m\0vllm.entrypoints.openai.api_server\0" };
  expect(await read(NVIDIA.driver550Vllm, files)).toMatchObject({
    value: { processes: [{ name: "python3 -m vllm.entrypoints.openai.api_server" }, {}] },
  });
  expect(await read(NVIDIA.driver550Vllm)).toMatchObject({
    value: { processes: [{ name: "python3" }, { name: "/usr/lib/xorg/Xorg" }] },
  });
});

it("reads Windows, where a path may hold a comma and memory by program is not told", async () => {
  const reading = await read(NVIDIA.driver566WindowsWddmGame);
  expect(reading).toMatchObject({
    value: {
      processes: [
        { pid: 1_512 },
        { pid: 7_788 },
        { pid: 9_920, name: expect.stringMatching(/Game, The\\game\.exe$/) },
      ],
    },
  });
  expect(JSON.stringify(reading)).not.toContain("vramMib");
});

it("leaves out what MIG, old cards and missing rights keep from it", async () => {
  expect(await read(NVIDIA.driver570MigH100)).toMatchObject({
    value: { gpus: [expect.not.objectContaining({ loadPercent: expect.anything() })] },
  });
  const told = { driver: "418.226.00", vramTotalMib: 11_441, vramFreeMib: 11_438 };
  expect(await read(NVIDIA.driver418OldTesla)).toEqual({
    ok: true,
    value: {
      gpus: [
        { name: "Tesla K80", ...told, loadPercent: 0, temperatureC: 33 },
        { name: "Tesla K80", ...told },
      ],
      processes: [],
    },
  });
  expect(await read(NVIDIA.driver535NoPermission)).toMatchObject({ value: { processes: [] } });
  expect(await read(NVIDIA.driver560Container)).toMatchObject({ value: { processes: [] } });
});

it.each(NVIDIA_GARBAGE)("takes no garbage for a reading: %j", async (gpus) => {
  expect(await read({ gpus, apps: "" })).toEqual({ ok: false, reason: "garbage" });
});

it("knows the GPUs where only the programs cannot be read, and says when there is no GPU or no tool", async () => {
  const { gpus } = NVIDIA.driver550Vllm;
  const reading = await read({ gpus, apps: "garbage" });
  expect(reading).toMatchObject({ ok: true, value: { gpus: [{ loadPercent: 64 }] } });
  expect(reading).not.toHaveProperty("value.processes");
  expect(await read({ gpus: "", apps: "" })).toEqual({ ok: false, reason: "none" });
  const bare = scriptedMachine(() => ({}));
  expect(await PROBE.read(bare)).toEqual({ ok: false, reason: "absent" });
});

it("adds each program's share, and games, by the monitor of any version", async () => {
  const tools = nvidiaTools(NVIDIA.driver535TwoGpusOllama);
  const withMonitor = (pmon: string) =>
    scriptedMachine(() => ({ tools: { ...tools, "nvidia-smi pmon": pmon } }));
  const ollama = { pid: 20_871, name: "/usr/lib/ollama/ollama_llama_server", vramMib: 20_842 };
  expect(await PROBE.read(withMonitor(PMON.driver470))).toHaveProperty("value.processes", [
    { ...ollama, loadPercent: 91 },
    { pid: 2_210, name: "Xorg", loadPercent: 2 },
    { pid: 8_801, name: "My Game.x86_64", loadPercent: 61 },
  ]);
  expect(await PROBE.read(withMonitor(PMON.driver550))).toHaveProperty("value.processes", [
    { ...ollama, loadPercent: 35 },
    { pid: 8_801, name: "game" },
  ]);
  const silent = "Not supported on the device(s)\n";
  expect(await PROBE.read(withMonitor(silent))).toHaveProperty("value.processes", [ollama]);
  const asked = withMonitor(PMON.driver470);
  await nvidiaSmi({ monitors: false }).read(asked);
  expect(asked.ran.flat()).not.toContain("pmon");
});
