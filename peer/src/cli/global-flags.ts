import { z } from "zod";
import type { FlagSpecs } from "../command";
import { CoordinatorUrl } from "./flag-schemas";

/** Flags that every command takes, before or after its name. */
export const GLOBAL_FLAGS = {
  coordinator: {
    schema: CoordinatorUrl.optional(),
    value: "URL",
    env: "COORDINATOR_URL",
    summary: "The coordinator; remembered once it answered",
  },
  home: {
    schema: z.string().min(1, "must name a folder").optional(),
    value: "DIR",
    env: "TROOP_HOME",
    summary: "Folder of this peer's identity and settings",
  },
  json: { schema: z.boolean(), summary: "Print the result as JSON" },
  help: { schema: z.boolean(), summary: "Show this help" },
  version: { schema: z.boolean(), summary: "Show the version" },
} as const satisfies FlagSpecs;
