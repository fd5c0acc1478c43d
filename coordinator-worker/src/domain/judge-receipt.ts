import { chargeFor } from "#protocol/microcredits";
import { CLOCK_SKEW_S } from "#protocol/jws";
import type { PeerId } from "#protocol/identity";
import type { Outcome } from "#protocol/outcome";
import type { ReceiptClaims } from "#protocol/receipt";
import type { RefusalCode } from "#protocol/submit";
import type { TicketClaims } from "#protocol/ticket";

/** A receipt may wait for a coordinator or a node that is away, but not for ever. */
export const PAID_WITHIN_MS = 14 * 24 * 60 * 60 * 1_000;
const SKEW_MS = CLOCK_SKEW_S * 1_000;

/**
 * What a receipt of this node may claim under a verified ticket, in microcredits: bounded by the wall clock, since
 * nothing that started then can have run for longer than until now.
 */
export function judgeReceipt(
  receipt: ReceiptClaims,
  nodeId: PeerId,
  ticket: TicketClaims,
  nowMs: number,
): Outcome<{ claim: number; rate: number }, { readonly reason: RefusalCode }> {
  const rate = ticket.rates[nodeId];
  if (rate === undefined || !ticket.aud.includes(nodeId)) {
    return { ok: false, reason: "lease_other_node" };
  }
  if (receipt.model !== ticket.model) return { ok: false, reason: "lease_other_model" };
  if (receipt.started_at_ms > nowMs + SKEW_MS) return { ok: false, reason: "receipt_from_future" };
  if (
    receipt.started_at_ms < ticket.nbf * 1_000 - SKEW_MS ||
    receipt.started_at_ms > ticket.exp * 1_000 + SKEW_MS
  ) {
    return { ok: false, reason: "receipt_outside_lease" };
  }
  if (nowMs > ticket.exp * 1_000 + PAID_WITHIN_MS) return { ok: false, reason: "receipt_too_late" };
  // By the coordinator's own clock, on both sides: a node's clock earns nothing by being off.
  const sinceTicketMs = nowMs - ticket.iat * 1_000;
  const sinceStartMs = nowMs + SKEW_MS - receipt.started_at_ms;
  const possibleMs = Math.max(0, Math.min(sinceTicketMs, sinceStartMs));
  const claim = chargeFor(Math.min(receipt.engine_ms, possibleMs), rate);
  return { ok: true, value: { claim, rate } };
}
