import type { Config } from "./config";

/** What a new user gets at once; null where it takes a proof of hardware first. */
export function starterAtOnce({
  starterMicrocredits,
  starterNeedsHardware,
}: Pick<Config, "starterMicrocredits" | "starterNeedsHardware">): number | null {
  return starterNeedsHardware ? null : starterMicrocredits;
}
