import { verifyAck } from "#protocol/ack";
import type { JwsRefusal } from "#protocol/jws";
import type { Outcome } from "#protocol/outcome";
import { verifyReceipt } from "#protocol/receipt";
import { MAX_ITEM_LENGTH, type RefusalCode } from "#protocol/submit";
import type { TicketClaims } from "#protocol/ticket";
import type { Proven } from "./authenticate";
import type { Deps } from "./deps";
import { judgeAck } from "./domain/judge-ack";
import { judgeReceipt } from "./domain/judge-receipt";
import type { AckItem, ReceiptItem } from "./store/ledger";
import type { LeaseTickets } from "./lease-tickets";

type Refused = { readonly reason: RefusalCode | "too_late" };
type Verified<Item> = Outcome<Omit<Item, "item">, Refused>;

const MALFORMED = { ok: false, reason: "malformed" } as const;

/** A receipt that its node sends itself, under a ticket that names the node. */
export async function verifyReceiptItem(
  deps: Deps,
  sender: Proven,
  jws: string,
  tickets: LeaseTickets,
): Promise<Verified<ReceiptItem>> {
  const verified =
    jws.length > MAX_ITEM_LENGTH
      ? MALFORMED
      : await verifyReceipt(jws, sender.key, sender.iss, deps.nowMs());
  if (!verified.ok) return { ok: false, reason: `receipt_${faultOf(verified.reason)}` };
  const receipt = verified.value;
  const judged = underAny(tickets, receipt.lease, (ticket) =>
    judgeReceipt(receipt, ticket, deps.nowMs()),
  );
  return judged.ok ? { ok: true, value: { receipt, ...judged.value } } : judged;
}

/** An ack that its client sends itself, under a ticket of its own that names the node. */
export async function verifyAckItem(
  deps: Deps,
  sender: Proven,
  jws: string,
  tickets: LeaseTickets,
): Promise<Verified<AckItem>> {
  const verified =
    jws.length > MAX_ITEM_LENGTH
      ? MALFORMED
      : await verifyAck(jws, sender.key, sender.iss, deps.nowMs());
  if (!verified.ok) return { ok: false, reason: `ack_${faultOf(verified.reason)}` };
  const ack = verified.value;
  const judged = underAny(tickets, ack.lease, (ticket) => judgeAck(ack, ticket, deps.nowMs()));
  return judged.ok ? { ok: true, value: { ack } } : judged;
}

/** Of several tickets of one lease an item may rely on any: they differ in time and budget only. */
function underAny<Value>(
  tickets: LeaseTickets,
  lease: string,
  judge: (ticket: TicketClaims) => Outcome<Value, Refused>,
): Outcome<Value, Refused> {
  const known = tickets.get(lease);
  if (known === undefined) return { ok: false, reason: "ticket_missing" };
  let refused: Outcome<Value, Refused> = { ok: false, reason: "ticket_invalid" };
  for (const ticket of known) {
    const judged = judge(ticket);
    if (judged.ok) return judged;
    refused = judged;
  }
  return refused;
}

function faultOf(reason: JwsRefusal["reason"]): "bad_signature" | "foreign" | "malformed" {
  if (reason === "bad_signature") return "bad_signature";
  return reason === "wrong_issuer" ? "foreign" : "malformed";
}
