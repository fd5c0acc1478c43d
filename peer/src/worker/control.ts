import type { ControlAnswer, ControlRequest, WorkerStatus } from "../control/messages";
import type { Catalogue } from "../engines/catalogue";
import { gpuLabel } from "../lending/gpu-label";
import type { Lending } from "../lending/lending";
import type { Policy } from "../lending/policy";
import type { Capacity } from "./line/capacity";

export type Controlled = {
  readonly lending: Lending;
  readonly policy: Pick<Policy, "mode">;
  readonly capacity: Pick<Capacity, "running" | "limit">;
  readonly line: { readonly size: number };
  readonly catalogue: () => Catalogue;
};

/** Does what the owner asks over the local socket, and says what came of it. */
export async function control(worker: Controlled, request: ControlRequest): Promise<ControlAnswer> {
  try {
    if (request.ask === "pause") await worker.lending.pause(request.for_ms);
    if (request.ask === "resume") await worker.lending.resume();
  } catch {
    return {
      ok: false,
      message: "The worker cannot write to its home, so nothing has changed. Disk full?",
    };
  }
  return { ok: true, status: statusOf(worker) };
}

function statusOf({ lending, policy, capacity, line, catalogue }: Controlled): WorkerStatus {
  const { decision } = lending;
  const untilMs = decision.lends ? decision.untilMs : decision.againAtMs;
  return {
    state: decision.lends ? "lending" : "paused",
    ...(!decision.lends && { reason: decision.reason }),
    why: decision.why,
    ...(untilMs !== undefined && { until: new Date(untilMs).toISOString() }),
    policy: policy.mode,
    running: capacity.running,
    waiting: line.size,
    concurrency: capacity.limit,
    models: catalogue().offers.map(({ id, state }) => ({ id, state })),
    gpus: lending.gpus.map(gpuLabel),
    signals: [...lending.looks()],
  };
}
