import type { Candidate } from "#protocol/authorize";
import { EMPTY_BODY_HASH } from "#protocol/proof";
import { TICKETS_PATH } from "#protocol/ticket";
import type { AttemptDeps } from "./attempt";
import type { Lease } from "./lease";
import { callNode, dialledUrl } from "./node-call";

/** A node that takes longer is left; the next request brings it the ticket. */
const WITHIN_MS = 5_000;

/**
 * Shows the nodes of a lease its larger budget, all at once, so that what runs there may go on. Never rejects: a node
 * that is away learns later.
 */
export async function tellOfTicket(
  deps: AttemptDeps,
  lease: Lease,
  withinMs: number = WITHIN_MS,
): Promise<void> {
  await Promise.allSettled(lease.candidates.map((node) => tell(deps, lease, node, withinMs)));
}

async function tell(
  { allowedRanges, identity, nowMs }: AttemptDeps,
  lease: Lease,
  node: Candidate,
  withinMs: number,
): Promise<void> {
  const url = dialledUrl(node, allowedRanges());
  if (url === undefined) return;
  const shown = {
    target: TICKETS_PATH,
    headers: { "content-length": 0 },
    body: new Uint8Array(),
    bodyHash: EMPTY_BODY_HASH,
    ticket: lease.ticket(),
    seq: lease.nextSeq(),
  };
  const call = await callNode(identity, node, url, shown, nowMs());
  const timer = setTimeout(() => call.cut(), withinMs);
  const message = await call.answer;
  clearTimeout(timer);
  // An error that nobody listens to would end the process; an answer without an end must not be read for ever.
  message?.on("error", () => {});
  if (message?.complete === false) call.cut();
  else message?.resume();
}
