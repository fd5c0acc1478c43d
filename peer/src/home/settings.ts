import { join } from "node:path";
import { z } from "zod";
import { replaceFile } from "./atomic-file";
import type { Home } from "./home";
import { readJsonFile } from "./json-file";

/** `settings.json`: what later commands need not be told again. */
export const Settings = z.object({
  /** The coordinator used last, as `coordinatorBaseUrl` spells it. */
  coordinator_url: z.string().optional(),
});
export type Settings = z.infer<typeof Settings>;

/** A damaged file reads as none: all it holds can be given as flags. */
export async function readSettings(dir: string): Promise<Settings> {
  const file = await readJsonFile(join(dir, "settings.json"), Settings);
  return file.state === "read" ? file.value : {};
}

export async function rememberCoordinator(home: Home, coordinatorUrl: string): Promise<void> {
  const settings = await readSettings(home.dir);
  if (settings.coordinator_url === coordinatorUrl) return;
  const changed: Settings = { ...settings, coordinator_url: coordinatorUrl };
  await replaceFile(join(home.dir, "settings.json"), `${JSON.stringify(changed, null, 2)}\n`);
}
