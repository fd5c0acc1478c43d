import { HARDWARE_VERSION, type HardwareStanding } from "#protocol/hardware";
import { MICROCREDITS_PER_CREDIT } from "#protocol/microcredits";
import { z } from "zod";
import { COOLDOWN_RATE, UNPROVEN_RATE } from "./hardware-score";

/** What Redis keeps of a node whose proofs count. */
export const StoredRate = z.object({ rate: z.int().positive(), until_ms: z.int() });
/** A commitment starts it ahead of time, so that whoever does not open what it bound is late without any doing. */
export const Cooldown = z.object({ from_ms: z.int(), until_ms: z.int() });

export type HardwareMarks = {
  readonly proven: z.infer<typeof StoredRate> | undefined;
  readonly cooldown: z.infer<typeof Cooldown> | undefined;
};

/** Microcredits a second that a node earns now. */
export function rateInForce(marks: HardwareMarks, nowMs: number): number {
  if (isCooling(marks, nowMs)) return COOLDOWN_RATE;
  return isProven(marks, nowMs) ? marks.proven.rate : UNPROVEN_RATE;
}

export function standingOf(marks: HardwareMarks, nowMs: number): HardwareStanding {
  const multiplier = rateInForce(marks, nowMs) / MICROCREDITS_PER_CREDIT;
  const shared = { version: HARDWARE_VERSION, multiplier };
  if (isCooling(marks, nowMs)) {
    const until = new Date(marks.cooldown.until_ms).toISOString();
    return { ...shared, verified: false, basis: "cooldown", until };
  }
  if (!isProven(marks, nowMs)) return { ...shared, verified: false, basis: "unproven" };
  const until = new Date(marks.proven.until_ms).toISOString();
  return { ...shared, verified: true, basis: "proof", until };
}

type Present<Marks, Name extends keyof Marks> = Marks & {
  readonly [Key in Name]: NonNullable<Marks[Key]>;
};

function isCooling(
  marks: HardwareMarks,
  nowMs: number,
): marks is Present<HardwareMarks, "cooldown"> {
  const { cooldown } = marks;
  return cooldown !== undefined && nowMs >= cooldown.from_ms && nowMs < cooldown.until_ms;
}

function isProven(marks: HardwareMarks, nowMs: number): marks is Present<HardwareMarks, "proven"> {
  return marks.proven !== undefined && nowMs < marks.proven.until_ms;
}
