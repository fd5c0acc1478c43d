import type { WorkerStatus } from "#peer/control/messages";

/** Of a worker that lends, and has nothing to do. */
export const LENDING: WorkerStatus = {
  state: "lending",
  why: "nobody uses this machine",
  policy: "idle",
  running: 0,
  waiting: 0,
  concurrency: 4,
  models: [],
  gpus: [],
  signals: [],
};
