import { readPayload } from "#protocol/jws";
import { MAX_BATCH, MAX_TICKET_LENGTH } from "#protocol/submit";
import type { TicketClaims } from "#protocol/ticket";
import { z } from "zod";
import { checkTicket } from "./check-ticket";
import type { Deps } from "./deps";

/** By lease: the claims of its tickets that hold; none where all that were sent are forged or broken. */
export type LeaseTickets = ReadonlyMap<string, readonly TicketClaims[]>;

const Lease = z.object({ jti: z.uuid() });

/** Checks the tickets of a batch; no more of them than there can be items. */
export async function leaseTickets(deps: Deps, tickets: readonly string[]): Promise<LeaseTickets> {
  const byLease = new Map<string, TicketClaims[]>();
  const read = tickets.slice(0, MAX_BATCH).filter((ticket) => ticket.length <= MAX_TICKET_LENGTH);
  const checked = await Promise.all(read.map((ticket) => checkTicket(deps, ticket)));
  checked.forEach((ticket, place) => {
    const lease = ticket.ok ? ticket.value.jti : readPayload(read[place] ?? "", Lease)?.jti;
    if (lease === undefined) return;
    byLease.set(lease, [...(byLease.get(lease) ?? []), ...(ticket.ok ? [ticket.value] : [])]);
  });
  return byLease;
}
