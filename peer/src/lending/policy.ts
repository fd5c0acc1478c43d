import { z } from "zod";
import { isTimeZone, parseTimeOfDay, parseWindows, type Schedule } from "./schedule";

/** When and what a donor lends. Units are in the names; a limit that is absent is none. */
export type Policy = {
  /** `schedule`: in its windows, whoever is there. `idle`: when nobody is, and within the windows where there are any. */
  readonly mode: "always" | "idle" | "schedule";
  readonly schedule: Schedule | undefined;
  /** Minutes since midnight, local, after which it lends no more. */
  readonly untilMin: number | undefined;
  /** Time without keyboard and mouse after which the person counts as away. */
  readonly idleAfterMs: number;
  /** Load by others from which on a GPU is in use. */
  readonly gpuLimitPercent: number;
  /** Video memory that others may hold. */
  readonly vramLimitMib: number;
  /** `undefined`: counts from 50 % where a person could be and no GPU is seen. */
  readonly cpuLimitPercent: number | undefined;
  readonly maxTemperatureC: number | undefined;
  /** Programs that may use the GPU beside the engine; names in lower case. */
  readonly ignoredProcesses: readonly string[];
  /** What running requests get to end when the person returns. */
  readonly finishMs: number;
  /** After so long without lending the models that our jobs loaded leave the memory. */
  readonly unloadAfterMs: number;
  /** Patterns with `*`; empty: all. */
  readonly offeredModels: readonly string[];
  readonly hiddenModels: readonly string[];
  readonly concurrency: number | undefined;
  readonly networks: readonly string[];
};

const whole = (least: number, most: number) =>
  z.int(`must be a whole number from ${least} to ${most}`).min(least).max(most);
const names = z.array(
  z.string("must be text").min(1, "must not be empty"),
  "must be a list of names",
);

export const TimeOfDay = z
  .string("must be a time such as 18:00")
  .refine((text) => parseTimeOfDay(text) !== undefined, "must be a time such as 18:00");

/** Of `troop.toml`, as it is written. */
export const PolicyFile = z.strictObject({
  policy: z.enum(["always", "idle", "schedule"], "must be always, idle or schedule").optional(),
  idle_after_minutes: whole(0, 1_440).optional(),
  gpu_limit_percent: whole(1, 100).optional(),
  vram_limit_mib: whole(0, 16_777_216).optional(),
  cpu_limit_percent: whole(1, 100).optional(),
  max_temperature_celsius: whole(20, 120).optional(),
  ignore_processes: names.optional(),
  finish_seconds: whole(0, 3_600).optional(),
  unload_after_seconds: whole(0, 86_400).optional(),
  models: names.optional(),
  hide_models: names.optional(),
  max_concurrent: whole(1, 65_536).optional(),
  networks: names.optional(),
  until: TimeOfDay.optional(),
  schedule: z
    .strictObject({
      time_zone: z
        .string("must be text")
        .refine(isTimeZone, "must be a time zone such as Europe/Berlin")
        .optional(),
      windows: z
        .array(
          z
            .string("must be text")
            .refine((text) => parseWindows(text) !== undefined, "must be like Mon-Fri 20:00-07:00"),
          'must be a list such as ["Mon-Fri 20:00-07:00"]',
        )
        .min(1, "must hold a window such as Mon-Fri 20:00-07:00"),
    })
    .optional(),
});
export type PolicyFile = z.infer<typeof PolicyFile>;

const MINUTE_MS = 60_000;
/** What desktops and browsers hold in video memory without anybody playing. */
const USUAL_VRAM_MIB = 2_048;

export function policyOf(file: PolicyFile, localTimeZone: string): Policy {
  const { schedule } = file;
  return {
    mode: file.policy ?? "idle",
    schedule: schedule && {
      windows: schedule.windows.flatMap((text) => parseWindows(text) ?? []),
      timeZone: schedule.time_zone ?? localTimeZone,
    },
    untilMin: file.until === undefined ? undefined : parseTimeOfDay(file.until),
    idleAfterMs: (file.idle_after_minutes ?? 10) * MINUTE_MS,
    gpuLimitPercent: file.gpu_limit_percent ?? 25,
    vramLimitMib: file.vram_limit_mib ?? USUAL_VRAM_MIB,
    cpuLimitPercent: file.cpu_limit_percent,
    maxTemperatureC: file.max_temperature_celsius,
    ignoredProcesses: (file.ignore_processes ?? []).map((name) => name.toLowerCase()),
    unloadAfterMs: (file.unload_after_seconds ?? 60) * 1_000,
    finishMs: (file.finish_seconds ?? 30) * 1_000,
    offeredModels: file.models ?? [],
    hiddenModels: file.hide_models ?? [],
    concurrency: file.max_concurrent,
    networks: file.networks ?? [],
  };
}

/** Why the parts do not go together, with the key at fault; `undefined` where they do. */
export function contradiction(
  file: PolicyFile,
): { readonly key: string; readonly message: string } | undefined {
  if (file.policy === "schedule" && file.schedule === undefined) {
    return { key: "policy", message: "needs a [schedule] with windows" };
  }
  if (file.policy === "always" && file.schedule !== undefined) {
    return {
      key: "policy",
      message: "is always, which a [schedule] contradicts; use schedule or idle",
    };
  }
  return undefined;
}
