import type { Candidate } from "#protocol/authorize";
import type { DialDeps } from "../call/attempt";
import type { Lease } from "./lease";
import { dialledUrl, showTicket } from "../call/node-call";

/** A node that takes longer is left; the next request brings it the ticket. */
const WITHIN_MS = 5_000;

/**
 * Shows the nodes of a lease its larger budget, all at once, so that what runs there may go on. Never rejects: a node
 * that is away learns later.
 */
export async function tellOfTicket(
  deps: DialDeps,
  lease: Lease,
  withinMs: number = WITHIN_MS,
): Promise<void> {
  await Promise.allSettled(lease.places.map(({ node }) => tell(deps, lease, node, withinMs)));
}

async function tell(
  { allowedRanges, identity, nowMs }: DialDeps,
  lease: Lease,
  node: Candidate,
  withinMs: number,
): Promise<void> {
  const url = dialledUrl(node, allowedRanges());
  if (url === undefined) return;
  const shown = { node, url, ticket: lease.ticket(), seq: lease.nextSeq() };
  const call = await showTicket(identity, shown, nowMs());
  const timer = setTimeout(() => call.cut(), withinMs);
  const answer = await call.answer;
  clearTimeout(timer);
  // One with a body, or without an end, is not waited for.
  if (answer.ok && answer.value.takeWhole() === undefined) call.cut();
}
