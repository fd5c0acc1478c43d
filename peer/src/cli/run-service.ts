import { removeServiceFile, type ServiceFile, writeServiceFile } from "../home/service-file";
import type { CommandContext } from "./context";

/**
 * Runs a command that serves until it is stopped. Once it is ready its data is printed, and
 * `troop status` can find it until it ends.
 */
export async function runService<Ready extends object>(
  ctx: CommandContext<unknown, Ready>,
  kind: ServiceFile["kind"],
  /** Where `troop status` finds it listening, from this machine. */
  localUrl: (ready: Ready) => string,
  serve: (onReady: (ready: Ready) => void) => Promise<void>,
): Promise<void> {
  let announced: Promise<void> | undefined;
  let service: ServiceFile | undefined;
  const announce = async (ready: Ready, own: ServiceFile): Promise<void> => {
    await ctx.emit(ready);
    try {
      await writeServiceFile(ctx.homeDir, own);
    } catch {
      // A full disk is no reason to stop serving.
      ctx.say(`troop status will not show this ${kind}: its file cannot be written.`);
    }
  };
  try {
    await serve((ready) => {
      service = { kind, url: localUrl(ready), pid: process.pid };
      announced = announce(ready, service);
    });
  } finally {
    await announced;
    if (service !== undefined) await removeServiceFile(ctx.homeDir, service);
  }
}
