import { EMPTY_BODY_HASH } from "#protocol/proof";
import { TICKETS_PATH } from "#protocol/ticket";
import type { CarryDeps } from "./carry";
import type { Lease } from "./lease";
import { callNode, dialledUrl } from "./node-call";

/** Shows the nodes of a lease its larger budget, so that what runs there may go on. A node that is away learns later. */
export async function tellOfTicket(
  { allowedRanges, identity, nowMs }: Pick<CarryDeps, "allowedRanges" | "identity" | "nowMs">,
  lease: Lease,
): Promise<void> {
  for (const node of lease.candidates) {
    const url = dialledUrl(node, allowedRanges());
    if (url === undefined) continue;
    const call = await callNode(
      identity,
      node,
      url,
      {
        target: TICKETS_PATH,
        headers: { "content-length": 0 },
        body: new Uint8Array(),
        bodyHash: EMPTY_BODY_HASH,
        ticket: lease.ticket(),
        seq: lease.nextSeq(),
      },
      nowMs(),
    );
    const message = await call.answer;
    message?.resume();
  }
}
