import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { replaceFile } from "../home/atomic-file";
import { readJsonFile } from "../home/json-file";
import { FOR_GOOD } from "./decide";
import type { Pauses } from "./lending";

/** Unix milliseconds; `null`: until it is resumed. */
const PauseFile = z.object({ until_ms: z.number().nullable() });

/** A pause kept in the home. A damaged file counts as a pause: lending what its owner took back would be worse. */
export function pauseFile(homeDir: string): Pauses {
  const path = join(homeDir, "pause.json");
  return {
    async read() {
      const file = await readJsonFile(path, PauseFile);
      if (file.state === "absent") return undefined;
      return file.state === "damaged" ? FOR_GOOD : (file.value.until_ms ?? FOR_GOOD);
    },
    async write(untilMs) {
      if (untilMs === undefined) return rm(path, { force: true });
      const until_ms = untilMs === FOR_GOOD ? null : untilMs;
      return replaceFile(path, `${JSON.stringify({ until_ms })}\n`);
    },
  };
}
