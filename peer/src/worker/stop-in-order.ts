import type { Submitter } from "../outbox/submitter";
import { within } from "../within";
import type { Heartbeats } from "./heartbeats";
import type { Jobs } from "./jobs";
import type { NodeServer } from "./server";

/** What runs may go on for so long. */
const DRAIN_MS = 10_000;
/** For a coordinator that does not answer: what it does not get now waits in the outbox. */
const GOODBYE_MS = 5_000;

export type Running = {
  readonly server: Pick<NodeServer, "refuseNew">;
  readonly heartbeats: Pick<Heartbeats, "leave">;
  readonly jobs: Jobs;
  readonly submitter: Pick<Submitter, "flush">;
};

/** Takes nothing new, says goodbye, lets what runs end or ends it, hands in the receipts. */
export async function stopInOrder(
  { server, heartbeats, jobs, submitter }: Running,
  drainMs: number = DRAIN_MS,
): Promise<void> {
  server.refuseNew();
  const goodbye = within(GOODBYE_MS, heartbeats.leave());
  await within(drainMs, jobs.drained());
  jobs.cutAll("stopping");
  await Promise.all([goodbye, within(GOODBYE_MS, submitter.flush())]);
}
