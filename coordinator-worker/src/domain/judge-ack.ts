import type { AckClaims } from "#protocol/ack";
import type { PeerId } from "#protocol/identity";
import type { Outcome } from "#protocol/outcome";
import type { RefusalCode } from "#protocol/submit";
import type { TicketClaims } from "#protocol/ticket";
import { PAID_WITHIN_MS } from "./judge-receipt";

/** Whether an ack of this client can be about a request under a verified ticket; what it changes is the ledger's to say. */
export function judgeAck(
  ack: AckClaims,
  clientId: PeerId,
  ticket: TicketClaims,
  nowMs: number,
): Outcome<AckClaims, { readonly reason: RefusalCode | "too_late" }> {
  if (ticket.cnf.jkt !== clientId) return { ok: false, reason: "lease_other_client" };
  if (!ticket.aud.includes(ack.node)) return { ok: false, reason: "lease_other_node" };
  // No receipt of that lease is taken any more.
  if (nowMs > ticket.exp * 1_000 + PAID_WITHIN_MS) return { ok: false, reason: "too_late" };
  return { ok: true, value: ack };
}
