import type { Submitter } from "../outbox/submitter";
import { within } from "../within";
import type { Availability } from "./line/availability";
import type { Heartbeats } from "./announcing/heartbeats";
import type { Jobs } from "./line/jobs";
import type { NodeServer } from "./serve/server";

/** For a coordinator that does not answer: what it does not get now waits in the outbox. */
const GOODBYE_MS = 5_000;
/** For the last words of what was cut. */
const LAST_WORDS_MS = 1_000;

export type Running = {
  readonly availability: Pick<Availability, "drain">;
  readonly server: Pick<NodeServer, "finish">;
  readonly heartbeats: Pick<Heartbeats, "leave">;
  readonly jobs: Pick<Jobs, "drained" | "cutAll">;
  readonly submitter: Pick<Submitter, "flush">;
};

/**
 * Takes nothing new, says goodbye, lets what runs end within `drainMs` or ends it, hands in the receipts. Until nothing
 * runs it listens on: clients are told where to go, and may show larger tickets for what runs.
 */
export async function stopInOrder(
  { availability, server, heartbeats, jobs, submitter }: Running,
  drainMs: number,
): Promise<void> {
  availability.drain();
  const goodbye = within(GOODBYE_MS, heartbeats.leave());
  await within(
    drainMs,
    jobs.drained().then(() => server.finish()),
  );
  jobs.cutAll("stopping");
  await within(LAST_WORDS_MS, server.finish());
  await Promise.all([goodbye, within(GOODBYE_MS, submitter.flush())]);
}
