import { chargeFor } from "#protocol/microcredits";
import { CLOCK_SKEW_S } from "#protocol/jws";
import type { Outcome } from "#protocol/outcome";
import type { ReceiptClaims } from "#protocol/receipt";
import type { RefusalCode } from "#protocol/submit";
import type { TicketClaims } from "#protocol/ticket";

const SKEW_MS = CLOCK_SKEW_S * 1_000;

/**
 * What a verified receipt may claim under a verified ticket, in microcredits: bounded by the wall clock, since
 * nothing that started then can have run for longer than until now.
 */
export function judgeReceipt(
  receipt: ReceiptClaims,
  ticket: TicketClaims,
  nowMs: number,
): Outcome<number, { readonly reason: RefusalCode }> {
  const rate = ticket.rates[receipt.iss];
  if (rate === undefined || !ticket.aud.includes(receipt.iss)) {
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
  const possibleMs = Math.max(0, nowMs + SKEW_MS - receipt.started_at_ms);
  return { ok: true, value: chargeFor(Math.min(receipt.engine_ms, possibleMs), rate) };
}
