import { expect, it } from "vitest";
import { amd } from "#peer/probes/amd";
import { type Script, scriptedMachine } from "./scripted-machine";

const RX6800 = "/sys/class/drm/card0/device";
/** By the amdgpu driver's documentation. */
const FILES = {
  [`${RX6800}/vendor`]: "0x1002\n",
  [`${RX6800}/gpu_busy_percent`]: "37\n",
  [`${RX6800}/mem_info_vram_total`]: "17163091968\n",
  [`${RX6800}/mem_info_vram_used`]: "1073741824\n",
  [`${RX6800}/hwmon/hwmon4/temp1_input`]: "61000\n",
  "/sys/class/drm/card0-DP-1/status": "connected\n",
  "/sys/class/drm/card1/device/vendor": "0x8086\n",
  "/sys/class/drm/renderD128/device/vendor": "0x1002\n",
};
/** `rocm-smi --showpids --json` of ROCm 5 and 6. */
const PIDS =
  'WARNING: AMD GPU device(s) is/are in a low-power state.\n{"system": {"PID4711": "blender, 1, 8589934592, 0, 31", "PID12": "UNKNOWN, 0, 0, 0, unknown"}}\n';

const read = (script: Script) => amd().read(scriptedMachine(() => script));

it("reads load, memory and heat from the kernel, and only of AMD's cards", async () => {
  expect(await read({ files: FILES })).toEqual({
    ok: true,
    value: {
      gpus: [
        {
          name: "AMD GPU",
          loadPercent: 37,
          vramTotalMib: 16_368,
          vramFreeMib: 15_344,
          temperatureC: 61,
        },
      ],
    },
  });
});

it("names the programs where rocm-smi is there, and knows when there are none", async () => {
  const script = (pids: string): Script => ({ files: FILES, tools: { "rocm-smi": pids } });
  expect(await read(script(PIDS))).toMatchObject({
    value: { processes: [{ pid: 4_711, name: "blender", vramMib: 8_192 }] },
  });
  expect(await read(script("No KFD PIDs currently running\n"))).toHaveProperty(
    "value.processes",
    [],
  );
  expect(await read(script("Traceback (most recent call last)"))).not.toHaveProperty(
    "value.processes",
  );
});

it("asks the slow tool only now and then", async () => {
  const machine = scriptedMachine(() => ({ files: FILES, tools: { "rocm-smi": PIDS } }));
  const probe = amd();
  for (let look = 0; look < 6; look++) await probe.read(machine);
  expect(machine.ran).toHaveLength(2);
  expect(await probe.read(machine)).toHaveProperty("value.processes.length", 1);
});

it("leaves out what an old kernel or missing rights keep from it", async () => {
  const files = {
    [`${RX6800}/vendor`]: "0x1002\n",
    [`${RX6800}/product_name`]: "Radeon RX 580\n",
    [`${RX6800}/gpu_busy_percent`]: { ok: false, reason: "denied" } as const,
    [`${RX6800}/mem_info_vram_total`]: "garbage\n",
  };
  expect(await read({ files })).toEqual({ ok: true, value: { gpus: [{ name: "Radeon RX 580" }] } });
});

it("says that there is none", async () => {
  expect(await read({})).toEqual({ ok: false, reason: "none" });
  expect(await read({ files: { "/sys/class/drm/card1/device/vendor": "0x8086\n" } })).toMatchObject(
    { ok: false },
  );
});
