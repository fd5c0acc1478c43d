import { join } from "node:path";
import { z } from "zod";
import type { CommandContext } from "../cli/context";
import { CliError, EXIT } from "../cli/error";
import { wholeNumber } from "../cli/flag-schemas";
import type { FlagSpecs, FlagValues } from "../command";
import { contradiction, type PolicyFile, TimeOfDay } from "../lending/policy";
import { readPolicyFile } from "../lending/policy-file";

const Names = z.array(z.string().min(1, "must not be empty")).optional();

/** When and what to lend. Each has its like in `troop.toml`, and wins over it. */
export const LENDING_FLAGS = {
  policy: {
    schema: z.enum(["always", "idle", "schedule"], "must be always, idle or schedule").optional(),
    value: "always|idle|schedule",
    summary: "When to lend (default: idle, when nobody else needs the machine)",
  },
  "idle-after": {
    schema: wholeNumber(0, 1_440).optional(),
    value: "MINUTES",
    summary: "Minutes without keyboard and mouse after which you count as away (default 10)",
  },
  until: { schema: TimeOfDay.optional(), value: "HH:MM", summary: "Lend until this time only" },
  "gpu-limit": {
    schema: wholeNumber(1, 100).optional(),
    value: "PERCENT",
    summary: "Load by others from which on the GPU is in use (default 25)",
  },
  "vram-limit": {
    schema: wholeNumber(0, 16_777_216).optional(),
    value: "MIB",
    summary: "Video memory that others may hold (default 2048)",
  },
  "max-temperature": {
    schema: wholeNumber(20, 120).optional(),
    value: "CELSIUS",
    summary: "Pause while the GPU is as hot (default: no limit)",
  },
  finish: {
    schema: wholeNumber(0, 3_600).optional(),
    value: "SECONDS",
    summary: "What running requests get to end when you come back (default 30)",
  },
  model: {
    schema: Names,
    value: "PATTERN",
    repeats: true,
    summary: "Lend these models only; * stands for any text",
  },
  "hide-model": {
    schema: Names,
    value: "PATTERN",
    repeats: true,
    summary: "Do not lend these models",
  },
  network: {
    schema: Names,
    value: "NETWORK",
    repeats: true,
    summary: "Lend in this network (default: public)",
  },
  concurrency: {
    schema: wholeNumber(1, 65_536).optional(),
    value: "N",
    summary: "Requests to serve at once (default: as the engine says)",
  },
  config: {
    schema: z.string().min(1, "must name a file").optional(),
    value: "FILE",
    summary: "Where these are written down (default: troop.toml in the home)",
  },
} as const satisfies FlagSpecs;

type LendingFlags = FlagValues<typeof LENDING_FLAGS>;

/** `troop.toml` with what the flags say instead. Throws `CliError`. */
export async function chosenPolicy(
  ctx: Pick<CommandContext<LendingFlags, unknown>, "flags" | "homeDir">,
): Promise<PolicyFile> {
  const { config } = ctx.flags;
  const path = config ?? join(ctx.homeDir, "troop.toml");
  const file = await readPolicyFile(path, config !== undefined);
  const chosen = { ...file, ...said(ctx.flags) };
  // Who says "always" does not mean the file's hours.
  if (ctx.flags.policy === "always") delete chosen.schedule;
  const clash = contradiction(chosen);
  if (clash === undefined) return chosen;
  throw new CliError(EXIT.usage, `--${clash.key} ${clash.message}.`, `Write it into ${path}.`);
}

function said(flags: LendingFlags): PolicyFile {
  const named: { readonly [Key in keyof PolicyFile]: PolicyFile[Key] | undefined } = {
    policy: flags.policy,
    idle_after_minutes: flags["idle-after"],
    until: flags.until,
    gpu_limit_percent: flags["gpu-limit"],
    vram_limit_mib: flags["vram-limit"],
    max_temperature_celsius: flags["max-temperature"],
    finish_seconds: flags.finish,
    models: flags.model,
    hide_models: flags["hide-model"],
    networks: flags.network,
    max_concurrent: flags.concurrency,
  };
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
}
