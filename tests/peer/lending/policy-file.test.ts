import { join } from "node:path";
import { expect, it } from "vitest";
import { parsePolicyFile, readPolicyFile } from "#peer/lending/policy-file";
import { policyOf } from "#peer/lending/policy";
import { temporaryFolder } from "../home/temporary-folder";

const FULL = `
policy = "idle"
idle_after_minutes = 5
gpu_limit_percent = 30
vram_limit_mib = 512
cpu_limit_percent = 60
max_temperature_celsius = 80
ignore_processes = ["Plex.exe"]
finish_seconds = 0
unload_after_seconds = 120
models = ["llama*"]
hide_models = ["*:70b"]
max_concurrent = 2
networks = ["team"]
until = "18:00"

[schedule]
time_zone = "Europe/Berlin"
windows = ["Mon-Fri 20:00-07:00", "Sat,Sun 00:00-24:00"]
`;

it("reads all that may be set", () => {
  expect(policyOf(parsePolicyFile(FULL, "troop.toml"), "UTC")).toMatchObject({
    mode: "idle",
    schedule: { timeZone: "Europe/Berlin", windows: { length: 7 } },
    untilMin: 18 * 60,
    idleAfterMs: 300_000,
    gpuLimitPercent: 30,
    vramLimitMib: 512,
    cpuLimitPercent: 60,
    maxTemperatureC: 80,
    ignoredProcesses: ["plex.exe"],
    finishMs: 0,
    unloadAfterMs: 120_000,
    offeredModels: ["llama*"],
    hiddenModels: ["*:70b"],
    concurrency: 2,
    networks: ["team"],
  });
});

it("takes the file that the documentation shows", async () => {
  const docs = await Bun.file(join(import.meta.dirname, "../../../docs/peers.md")).text();
  const [, shown = ""] = /```toml\n(.+?)```/s.exec(docs) ?? [];
  expect(parsePolicyFile(shown, "troop.toml").schedule?.windows).toHaveLength(2);
});

it("lends when idle, after ten minutes, where nothing is set", () => {
  expect(policyOf(parsePolicyFile("", "troop.toml"), "UTC")).toMatchObject({
    mode: "idle",
    schedule: undefined,
    untilMin: undefined,
    idleAfterMs: 600_000,
    maxTemperatureC: undefined,
  });
});

it.each([
  [
    'policy = "idle"\nidle_after = 5',
    2,
    "there is no setting idle_after (did you mean idle_after_minutes?)",
  ],
  ['\n\npolicy = "sometimes"', 3, "policy must be always, idle or schedule"],
  ["gpu_limit_percent = 0", 1, "gpu_limit_percent must be a whole number from 1 to 100"],
  ["gpu_limit_percent = 12.5", 1, "gpu_limit_percent must be a whole number from 1 to 100"],
  ["until = 18:00:00", 1, "until must be a time such as 18:00"],
  [
    '# x\n[schedule]\nwindows = ["Mon 8-12"]',
    3,
    "schedule.windows must be like Mon-Fri 20:00-07:00",
  ],
  ['[schedule]\n\nzone = "UTC"\nwindows = []', 4, "schedule.windows must hold a window"],
  [
    '[schedule]\nwindows = ["daily 00:00-24:00"]\ntime_zone = "Mars"',
    3,
    "schedule.time_zone must be",
  ],
  ['schedule.windows = ["x"]', 1, "schedule.windows must be like"],
  ["a = 1\nschedule = { windows = 3 }", 2, "schedule.windows must be a list"],
  ['[schedule]\ntime_zone = "UTC"', 1, "schedule.windows must be a list"],
  ['x = 1\npolicy = "schedule"', 1, "there is no setting x"],
  ['models = []\npolicy = "schedule"', 2, "policy needs a [schedule] with windows"],
  ['policy = "always"\n[schedule]\nwindows = ["daily 00:00-24:00"]', 1, "policy is always, which"],
  ['[schedule]\nwindws = ["daily 00:00-24:00"]', 2, "there is no setting schedule.windws (did you"],
  ['models = [\n  "a, [b]", # one\n  "",\n]', 3, "models must not be empty"],
  ["models = ['a', 3]\n", 1, "models must be text"],
  ['[schedule]\nwindows = [\n  "daily 00:00-24:00",\n\n  "x"]', 5, "schedule.windows must be"],
  ['schedule = { windows = [\n"Mon 8-12"] }', 2, "schedule.windows must be like"],
  ['policy = "idle"\nmodels = [', 2, ""],
  ["policy = = 3", 1, "invalid value"],
  ['policy = "idle"\n\npolicy = "idle"', 3, "trying to redefine"],
])("names the line of what is wrong: %j", (text, line, message) => {
  expect(() => parsePolicyFile(text, "troop.toml")).toThrow(`troop.toml:${line}: ${message}`);
});

it("never repeats what stands in the file", () => {
  expect(() => parsePolicyFile('networks = "s3cret"', "troop.toml")).not.toThrow("s3cret");
  expect(() => parsePolicyFile('networks = "s3cret"', "troop.toml")).toThrow("list of names");
});

it("is as by default without a file, unless one was named", async () => {
  const path = join(await temporaryFolder(), "troop.toml");
  expect(await readPolicyFile(path, false)).toEqual({});
  await expect(readPolicyFile(path, true)).rejects.toThrow("cannot be read (ENOENT)");
  await Bun.write(path, 'policy = "always"');
  expect(await readPolicyFile(path, true)).toEqual({ policy: "always" });
});
