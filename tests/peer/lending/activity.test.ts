import { expect, it } from "vitest";
import { type Activity, NOTHING_SEEN, observe, type Sighting } from "#peer/lending/activity";
import { type PolicyFile, policyOf } from "#peer/lending/policy";
import type { GpuProcess } from "#peer/lending/readings";

const NOW = Date.UTC(2030, 0, 7, 12);

type Step = { readonly atMs?: number; readonly ours?: boolean };

/** What is remembered after looks one after the other. */
function after(steps: readonly (readonly [Sighting, Step?])[], file: PolicyFile = {}): Activity {
  const policy = policyOf(file, "UTC");
  return steps.reduce(
    (activity, [sighting, { atMs = 0, ours = false } = {}]) =>
      observe(activity, sighting, { policy, isOursBusy: ours, nowMs: NOW + atMs }),
    NOTHING_SEEN,
  );
}

const load = (loadPercent: number): Sighting => ({
  signal: "gpu",
  value: { gpus: [{ name: "GPU", loadPercent }] },
});
const used = (...processes: Omit<GpuProcess, "pid">[]): Sighting => ({
  signal: "gpu",
  value: { gpus: [{ name: "GPU" }], processes: processes.map((each) => ({ pid: 1, ...each })) },
});

it("remembers when a key was last pressed", () => {
  expect(after([[{ signal: "input", value: { idleMs: 3_000 } }]]).lastInputMs).toBe(NOW - 3_000);
});

it("forgets a signal that is not known any more: it holds nobody back", () => {
  const known: Sighting[] = [
    { signal: "input", value: { idleMs: 0 } },
    { signal: "power", value: { isOnBattery: true } },
    { signal: "cpu", value: { loadPercent: 99 } },
    load(99),
  ];
  const seen = after(known.map((sighting) => [sighting]));
  expect(seen).toMatchObject({ isOnBattery: true, hasGpu: true, lastInputMs: NOW, cpuUseMs: NOW });
  const lost = known.map(({ signal }): readonly [Sighting] => [{ signal, value: undefined }]);
  expect(after([...known.map((sighting): readonly [Sighting] => [sighting]), ...lost])).toEqual(
    NOTHING_SEEN,
  );
});

it("takes steady load for a game, and a peak for a window that was moved", () => {
  const peak = after([
    [load(0)],
    [load(0), { atMs: 3_000 }],
    [load(0), { atMs: 6_000 }],
    [load(0), { atMs: 9_000 }],
    [load(100), { atMs: 12_000 }],
  ]);
  expect(peak.gpuUse).toBeUndefined();
  const ended = after([[load(90)], [load(24), { atMs: 3_000 }]]);
  expect(ended.gpuUse?.atMs).toBe(NOW);
  const game = after([[load(0)], [load(90), { atMs: 3_000 }]]);
  expect(game.gpuUse).toEqual({ atMs: NOW + 3_000, by: "the GPU is in use" });
});

it("looks no further back than its window", () => {
  expect(after([[load(0)], [load(26), { atMs: 15_000 }]]).gpuUse).toBeDefined();
  expect(after([[load(0)], [load(26), { atMs: 14_999 }]]).gpuUse).toBeUndefined();
});

it("counts the busiest of several GPUs", () => {
  const gpus = [{ name: "a", loadPercent: 1 }, { name: "b", loadPercent: 60 }, { name: "c" }];
  expect(after([[{ signal: "gpu", value: { gpus } }]]).gpuUse).toBeDefined();
});

it("takes no load for others' while our own jobs run, but a program that is not the engine", () => {
  expect(after([[load(100), { ours: true }]]).gpuUse).toBeUndefined();
  const game = used({ name: "C:\\Games\\game.exe", loadPercent: 40 });
  expect(after([[game, { ours: true }]]).gpuUse?.by).toBe("game.exe uses the GPU");
  expect(
    after([[{ signal: "cpu", value: { loadPercent: 100 } }, { ours: true }]]).cpuUseMs,
  ).toBeUndefined();
});

it("names the program that uses the GPU: the busiest, or the largest", () => {
  const both = used(
    { name: "/usr/bin/small", loadPercent: 9 },
    { name: "/usr/bin/blender", loadPercent: 80 },
  );
  expect(after([[both]]).gpuUse?.by).toBe("blender uses the GPU");
  const holds = used({ name: "/opt/a", vramMib: 1_000 }, { name: "/opt/train", vramMib: 1_049 });
  expect(after([[holds]]).gpuUse?.by).toBe("train holds the GPU's memory");
  const unknown: Sighting = {
    signal: "gpu",
    value: {
      gpus: [{ name: "GPU", loadPercent: 97 }],
      processes: [{ pid: 1, name: "C:\\game.exe" }],
    },
  };
  expect(after([[unknown]]).gpuUse?.by).toBe("game.exe uses the GPU");
});

it.each([
  ["others' memory up to the limit", { name: "/opt/train", vramMib: 2_048 }],
  ["a program that does little", { name: "/opt/video", loadPercent: 24 }],
  ["Ollama", { name: "/usr/local/bin/ollama", loadPercent: 99, vramMib: 20_000 }],
  ["Ollama's runner", { name: "/usr/local/lib/ollama/ollama_llama_server", vramMib: 20_000 }],
  ["vLLM", { name: "VLLM::EngineCore", vramMib: 20_000 }],
  [
    "vLLM in a Python",
    { name: "/usr/bin/python3 -m vllm.entrypoints.openai.api_server", vramMib: 20_000 },
  ],
  ["llama.cpp", { name: "/opt/llama.cpp/build/bin/llama-server", vramMib: 20_000 }],
  [
    "LM Studio",
    { name: "C:\\Users\\a\\AppData\\Local\\Programs\\LM Studio\\LM Studio.exe", vramMib: 9_000 },
  ],
  ["the desktop", { name: "/usr/lib/xorg/Xorg", vramMib: 9_000 }],
  ["the desktop of Windows", { name: "C:\\Windows\\System32\\dwm.exe", loadPercent: 99 }],
])("does not take %s for use by others", (_, process) => {
  expect(after([[used(process)]]).gpuUse).toBeUndefined();
});

it("lets its owner name programs that may use the GPU beside", () => {
  const plex = used({ name: "C:\\Plex\\Plex.exe", loadPercent: 50 });
  expect(after([[plex]]).gpuUse).toBeDefined();
  expect(after([[plex]], { ignore_processes: ["plex.exe"] }).gpuUse).toBeUndefined();
});

it("is too hot at its limit until it is five degrees below", () => {
  const at = (temperatureC: number): readonly [Sighting] => [
    { signal: "gpu", value: { gpus: [{ name: "GPU", temperatureC }] } },
  ];
  const file = { max_temperature_celsius: 80 };
  expect(after([at(79)], file).isHot).toBe(false);
  expect(after([at(80)], file)).toMatchObject({ isHot: true, hottestC: 80 });
  expect(after([at(80), at(75)], file).isHot).toBe(true);
  expect(after([at(80), at(74)], file).isHot).toBe(false);
  expect(after([at(99)]).isHot).toBe(false);
});
