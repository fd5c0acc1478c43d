import { duration } from "../cli/flag-schemas";
import { command } from "../command";
import type { WorkerStatus } from "../control/messages";
import { renderLending, tellOwnWorker } from "./lending-state";

const YEAR_S = 365 * 86_400;

export const pause = command({
  schema: "troop.pause/1",
  flags: {
    for: {
      schema: duration(1, YEAR_S).optional(),
      value: "TIME",
      summary: "Lend again after this time, such as 2h (default: after troop resume)",
    },
  },
  run: (ctx): Promise<WorkerStatus> => {
    const { for: forS } = ctx.flags;
    return tellOwnWorker(ctx, {
      ask: "pause",
      ...(forS !== undefined && { for_ms: forS * 1_000 }),
    });
  },
  human: renderLending,
});
