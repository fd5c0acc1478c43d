import { AckClaims } from "#protocol/ack";
import type { PeerId } from "#protocol/identity";
import type { Outcome } from "#protocol/outcome";
import { ReceiptClaims } from "#protocol/receipt";
import type { RefusalCode } from "#protocol/submit";
import type { TicketClaims } from "#protocol/ticket";
import { judgeAck } from "./domain/judge-ack";
import { judgeReceipt } from "./domain/judge-receipt";
import type { LeaseTickets } from "./lease-tickets";
import type { AckItem, ReceiptItem } from "./store/ledger";

type Refused = { readonly reason: RefusalCode | "too_late" };
type Judged<Item> = Outcome<Omit<Item, "item">, Refused>;

/** What a node sends as its receipt, under a ticket that names the node. */
export function judgeReceiptItem(
  node: PeerId,
  said: unknown,
  tickets: LeaseTickets,
  nowMs: number,
): Judged<ReceiptItem> {
  const { data: receipt } = ReceiptClaims.safeParse(said);
  if (receipt === undefined) return { ok: false, reason: "receipt_malformed" };
  const judged = underAny(tickets, receipt.lease, (ticket) =>
    judgeReceipt(receipt, node, ticket, nowMs),
  );
  return judged.ok ? { ok: true, value: { receipt, ...judged.value } } : judged;
}

/** What a client sends as its ack, under a ticket of its own that names the node. */
export function judgeAckItem(
  client: PeerId,
  said: unknown,
  tickets: LeaseTickets,
  nowMs: number,
): Judged<AckItem> {
  const { data: ack } = AckClaims.safeParse(said);
  if (ack === undefined) return { ok: false, reason: "ack_malformed" };
  const judged = underAny(tickets, ack.lease, (ticket) => judgeAck(ack, client, ticket, nowMs));
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
