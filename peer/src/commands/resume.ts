import { command } from "../command";
import type { WorkerStatus } from "../control/messages";
import { renderLending, tellOwnWorker } from "./lending-state";

export const resume = command({
  schema: "troop.resume/1",
  flags: {},
  run: (ctx): Promise<WorkerStatus> => tellOwnWorker(ctx, { ask: "resume" }),
  human: renderLending,
});
