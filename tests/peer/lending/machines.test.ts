import { expect, it } from "vitest";
import { darwin } from "#peer/platform/darwin";
import { linux } from "#peer/platform/linux";
import { cpuLoad } from "#peer/probes/cpu-load";
import { nvidiaSmi } from "#peer/probes/nvidia-smi";
import { typeperf } from "#peer/probes/typeperf";
import { windowsInput, windowsPower } from "#peer/probes/windows-user";
import { logind, mutterIdle, powerSupplies, SESSIONS } from "../probes/linux-outputs";
import { appleM1, hidIdle, onAc, onBattery } from "../probes/mac-outputs";
import { NVIDIA, nvidiaTools, PMON } from "../probes/nvidia-outputs";
import type { Script } from "../probes/scripted-machine";
import { tasklistCsv, typeperfCsv } from "../probes/windows-outputs";
import { NOON, startLending, stretches, type Told } from "./timeline";

const HOUR_MS = 3_600_000;
const between = (second: number, from: number, to: number) => second >= from && second < to;

/** Idle time of a person who was away for an hour and uses the machine from one second to another. */
function idleMs(second: number, from: number, to: number): number {
  if (second < from) return HOUR_MS + second * 1_000;
  return Math.max(0, second - to + 1) * 1_000;
}

const MINUTE = { idle_after_minutes: 1 };
const SPARE_GPU = "NVIDIA GeForce RTX 3090, 535.183.01";
const rtx3090 = (load: number, freeMib: number) => `${SPARE_GPU}, ${load}, 24576, ${freeMib}, 60\n`;

/** GNOME on Wayland, an RTX 3090, Ollama. */
const linuxDesktop: Told = {
  probes: () => linux.probes(),
  policy: MINUTE,
  // Ours from 5 to 20; the person from 30 to 40; from 150 somebody else trains, until 200.
  ours: [[5, 20]],
  machine(second): Script {
    const isTraining = between(second, 150, 200);
    const isOurs = between(second, 5, 22);
    const apps = isOurs
      ? NVIDIA.driver535TwoGpusOllama.apps
      : isTraining
        ? "99, /home/bob/train, 9000\n"
        : "";
    return {
      tools: {
        ...logind(SESSIONS.systemd255, { Type: "wayland", sinceMs: NOON }),
        gdbus: mutterIdle(idleMs(second, 30, 40)),
        ...nvidiaTools({ gpus: rtx3090(isOurs || isTraining ? 97 : 0, 3_000), apps }),
      },
    };
  },
};

it("a Linux desktop: our own jobs count for nothing, the person at once, somebody's training by name", async () => {
  expect(await stretches(linuxDesktop, 300)).toEqual([
    "0: lends",
    "30: user_active: somebody uses this machine",
    "99: lends",
    "150: gpu_in_use: train holds the GPU's memory",
    "160: gpu_in_use: train uses the GPU",
    "250: lends",
  ]);
});

it("a Linux desktop: a game is noticed though our own jobs load the same GPU", async () => {
  const playing: Told = {
    ...linuxDesktop,
    ours: [[0, 40]],
    machine: (second) => ({
      tools: {
        ...logind(SESSIONS.systemd255, { Type: "wayland", sinceMs: NOON }),
        gdbus: mutterIdle(HOUR_MS),
        ...nvidiaTools(NVIDIA.driver535TwoGpusOllama),
        "nvidia-smi pmon": between(second, 10, 40) ? PMON.driver470 : "",
      },
    }),
  };
  expect(await stretches(playing, 30)).toEqual([
    "0: lends",
    "12: gpu_in_use: My Game.x86_64 uses the GPU",
  ]);
});

/** Windows 11 with an RTX 4070: a game is started by remote control, so that only the GPU tells. */
const gamingPc: Told = {
  policy: MINUTE,
  ours: [[10, 60]],
  probes: (clock) => {
    const second = () => (clock.wallMs() - NOON) / 1_000;
    const user = () => ({
      ticks: () => ({ now: 2 * HOUR_MS, lastInput: 2 * HOUR_MS - idleMs(second(), 120, 125) }),
      acLine: () => 1,
    });
    return [
      windowsInput(user),
      nvidiaSmi({ monitors: false }),
      typeperf,
      windowsPower(user),
      cpuLoad(),
    ];
  },
  machine(second) {
    const isPlaying = between(second, 30, 90);
    const isOurs = between(second, 10, 60);
    const { gpus, apps } = NVIDIA.driver566WindowsWddmGame;
    return {
      tools: {
        ...nvidiaTools({
          gpus: gpus.replace("96", isPlaying || isOurs ? "96" : "1"),
          apps: isPlaying ? apps : "",
        }),
        typeperf: typeperfCsv([
          { pid: 4, percent: 1 },
          { pid: 700, percent: isPlaying ? 55 : 0 },
          { pid: 900, percent: isOurs ? 40 : 0 },
        ]),
        tasklist: tasklistCsv({ 4: "System", 700: "game.exe", 900: "ollama.exe" }),
      },
    };
  },
};

it("a gaming PC: the game is named though our own jobs run, and lending waits a minute after it", async () => {
  expect(await stretches(gamingPc, 250)).toEqual([
    "0: lends",
    "36: gpu_in_use: game.exe uses the GPU",
    "146: user_active: somebody uses this machine",
    "184: lends",
  ]);
});

/** A MacBook: its lid is open, its owner away; the charger is pulled from 60 to 100, a film runs at 8 %. */
const laptop: Told = {
  probes: () => darwin.probes(),
  policy: MINUTE,
  machine: (second) => ({
    tools: {
      "ioreg -c": hidIdle(idleMs(second, 140, 141)),
      "ioreg -r": appleM1(8),
      pmset: between(second, 60, 100) ? onBattery : onAc,
    },
  }),
};

it("a MacBook: not on battery, again on the charger, and not while its owner types", async () => {
  expect(await stretches(laptop, 220)).toEqual([
    "0: lends",
    "60: on_battery: it runs on battery",
    "100: lends",
    "140: user_active: somebody uses this machine",
    "200: lends",
  ]);
});

/** A workstation with an AMD card; nobody is logged in, it lends until 12:02 and again from 12:04. */
const workstation: Told = {
  probes: () => linux.probes(),
  policy: {
    schedule: { time_zone: "Europe/Berlin", windows: ["Mon 08:00-13:02", "Mon 13:04-18:00"] },
    max_temperature_celsius: 85,
  },
  machine: (second) => ({
    tools: { "loginctl list-sessions": SESSIONS.nobody },
    files: {
      "/sys/class/drm/card0/device/vendor": "0x1002\n",
      "/sys/class/drm/card0/device/gpu_busy_percent": `${between(second, 300, 330) ? 60 : 3}\n`,
      "/sys/class/drm/card0/device/hwmon/hwmon4/temp1_input": `${between(second, 30, 50) ? 86_000 : 61_000}\n`,
      ...powerSupplies({ AC: { type: "Mains", online: "1" } }),
    },
  }),
};

it("a workstation: by its schedule's clock, cool, and when nobody computes on it", async () => {
  expect(await stretches(workstation, 450)).toEqual([
    "0: lends",
    "30: too_hot: the GPU is at 86 °C",
    "50: lends",
    "120: schedule: the schedule is closed",
    "240: lends",
    "303: gpu_in_use: the GPU is in use",
    "383: lends",
  ]);
});

it("tells beforehand until when it will lend, and when again", async () => {
  const { lending, clock } = startLending(workstation);
  await lending.start();
  expect(lending.decision).toMatchObject({ lends: true, untilMs: NOON + 120_000 });
  clock.advance(120_000);
  await lending.settled();
  expect(lending.decision).toMatchObject({ lends: false, againAtMs: NOON + 240_000 });
});

/** A container with a part of an H100, on which nothing can be known, under load. */
const container: Told = {
  probes: () => linux.probes(),
  machine: (second) => ({
    tools: {
      loginctl: { ok: false, reason: "failed" },
      ...nvidiaTools(NVIDIA.driver570MigH100),
    },
    cpu: { idleMs: 0, busyMs: second * 1_000 },
  }),
};

it("a container: where nothing can be known it lends, whatever the processor does, and until its owner pauses it", async () => {
  expect(await stretches(container, 60)).toEqual(["0: lends"]);
  const { lending, clock } = startLending(container);
  await lending.start();
  await lending.pause(30_000);
  expect([lending.isOpen, lending.decision.why]).toEqual([false, "you paused it"]);
  clock.advance(29_999);
  expect(lending.isOpen).toBe(false);
  clock.advance(1);
  expect(lending.isOpen).toBe(true);
  expect(lending.looks().find(({ source }) => source === "logind")?.state).toBe("failed");
});

it("holds by load only where an owner of a bare machine says so", async () => {
  const bare = {
    ...container,
    machine: (second: number) => ({ cpu: { idleMs: 0, busyMs: second * 1_000 } }),
  };
  expect(await stretches(bare, 30)).toEqual(["0: lends"]);
  const limited = await stretches({ ...bare, policy: { cpu_limit_percent: 80 } }, 30);
  expect(limited.at(-1)).toMatch(/^\d+: cpu_in_use: the processor is busy$/);
  const ours: Told = { ...bare, policy: { cpu_limit_percent: 80 }, ours: [[0, 31]] };
  expect(await stretches(ours, 30)).toEqual(["0: lends"]);
});

it("lends until the time that was set, and no more after it", async () => {
  expect(await stretches({ ...container, policy: { until: "12:01" } }, 120)).toEqual([
    "0: lends",
    "60: schedule: it was to lend until then only",
  ]);
});
