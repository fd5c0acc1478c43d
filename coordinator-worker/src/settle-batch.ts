import type { Outcome } from "#protocol/outcome";
import { type ReceiptClaims, verifyReceipt } from "#protocol/receipt";
import type { RefusalCode, SubmitRequest, SubmitResult } from "#protocol/submit";
import type { TicketClaims } from "#protocol/ticket";
import type { Proven } from "./authenticate";
import { checkTicket } from "./check-ticket";
import type { Deps } from "./deps";
import { judgeReceipt } from "./domain/judge-receipt";
import { settleReceipts } from "./store/ledger";

type Judged = { readonly receipt: ReceiptClaims; readonly claim: number };

/** Verifies each item by itself, settles the good ones in one statement, answers in the order of the request. */
export async function settleBatch(
  deps: Deps,
  node: Proven,
  batch: SubmitRequest,
): Promise<SubmitResult[]> {
  const tickets = await ticketsByLease(deps, batch.tickets);
  const judged = await Promise.all(
    batch.receipts.map((receipt) => judge(deps, node, receipt, tickets)),
  );
  const items = judged.flatMap((one, item) => (one.ok ? [{ item, ...one.value }] : []));
  const settled = items.length === 0 ? [] : await settleReceipts(deps.db, items);
  const byItem = new Map(settled.map((row) => [row.item, row]));
  return judged.map((one, item): SubmitResult => {
    if (!one.ok) return { status: "refused", code: one.reason };
    const row = byItem.get(item);
    if (row === undefined) throw new Error("A settled batch lacks an item.");
    if (row.status === "lease_unknown") return { status: "refused", code: "lease_unknown" };
    return { status: row.status, amount: row.amount };
  });
}

/** Of several tickets of one lease, a node may rely on any: they differ in time and budget only. */
async function ticketsByLease(
  deps: Deps,
  tickets: readonly string[],
): Promise<Map<string, TicketClaims[]>> {
  const byLease = new Map<string, TicketClaims[]>();
  for (const checked of await Promise.all(tickets.map((ticket) => checkTicket(deps, ticket)))) {
    if (!checked.ok) continue;
    const { jti } = checked.value;
    byLease.set(jti, [...(byLease.get(jti) ?? []), checked.value]);
  }
  return byLease;
}

async function judge(
  deps: Deps,
  node: Proven,
  jws: string,
  tickets: ReadonlyMap<string, readonly TicketClaims[]>,
): Promise<Outcome<Judged, { readonly reason: RefusalCode }>> {
  const verified = await verifyReceipt(jws, node.key, node.iss, deps.nowMs());
  if (!verified.ok) return { ok: false, reason: refusalOf(verified.reason) };
  const receipt = verified.value;
  let reason: RefusalCode = "ticket_missing";
  for (const ticket of tickets.get(receipt.lease) ?? []) {
    const claim = judgeReceipt(receipt, ticket, deps.nowMs());
    if (claim.ok) return { ok: true, value: { receipt, claim: claim.value } };
    reason = claim.reason;
  }
  return { ok: false, reason };
}

function refusalOf(reason: string): RefusalCode {
  if (reason === "bad_signature") return "receipt_bad_signature";
  return reason === "wrong_issuer" ? "receipt_foreign" : "receipt_malformed";
}
