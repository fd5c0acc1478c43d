import { homedir } from "node:os";
import { join, resolve } from "node:path";
import type { Env, Platform } from "../platform/platform";

/** The folder for this peer's identity and settings: `TROOP_HOME`, or `troop` in the platform's config folder. */
export function troopHome(env: Env, platform: Platform, homeFolder: string = homedir()): string {
  const chosen = env["TROOP_HOME"];
  if (chosen !== undefined && chosen !== "") return resolve(chosen);
  return join(platform.configFolder(env, homeFolder), "troop");
}
