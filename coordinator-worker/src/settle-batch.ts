import { MAX_BATCH, type SubmitRequest, type SubmitResult } from "#protocol/submit";
import type { Proven } from "./authenticate";
import type { Deps } from "./deps";
import { judgeAckItem, judgeReceiptItem } from "./judge-items";
import { leaseTickets } from "./lease-tickets";
import { type Settled, settleItems } from "./store/ledger";

/** Which request's receipt and ack contradict each other. */
export type Dispute = { readonly lease: string; readonly seq: number; readonly node: string };

type Batch = { readonly results: SubmitResult[]; readonly disputes: readonly Dispute[] };

/**
 * Judges each item by itself, settles the good ones in one statement, answers receipts, then acks, in the order of
 * the request. Items past the most that one call works on are told so, and nothing else becomes of them.
 */
export async function settleBatch(
  deps: Deps,
  sender: Proven,
  { tickets, receipts, acks = [] }: SubmitRequest,
): Promise<Batch> {
  const known = await leaseTickets(deps, tickets);
  const worked = receipts.slice(0, MAX_BATCH);
  const room = MAX_BATCH - worked.length;
  const nowMs = deps.nowMs();
  const judgedReceipts = worked.map((said) => judgeReceiptItem(sender.iss, said, known, nowMs));
  const judgedAcks = acks
    .slice(0, room)
    .map((said) => judgeAckItem(sender.iss, said, known, nowMs));
  const settled = await settleItems(
    deps.db,
    sender.iss,
    judgedReceipts.flatMap((one, item) => (one.ok ? [{ ...one.value, item }] : [])),
    judgedAcks.flatMap((one, place) =>
      one.ok ? [{ ...one.value, item: receipts.length + place }] : [],
    ),
    nowMs,
  );
  const byItem = new Map(settled.map((row) => [row.item, row]));

  const results = Array.from({ length: receipts.length + acks.length }, (): SubmitResult => ({
    status: "refused",
    code: "batch_full",
  }));
  const answer = (judged: typeof judgedReceipts | typeof judgedAcks, from: number) =>
    judged.forEach((one, place) => {
      if (one.ok) results[from + place] = resultOf(byItem.get(from + place));
      else if (one.reason === "too_late") results[from + place] = { status: "too_late" };
      else results[from + place] = { status: "refused", code: one.reason };
    });
  answer(judgedReceipts, 0);
  answer(judgedAcks, receipts.length);
  const isDisputed = (item: number) => byItem.get(item)?.status === "disputed";
  const disputes = [
    ...judgedReceipts.flatMap((one, item) =>
      one.ok && isDisputed(item) ? [{ ...one.value.receipt, node: sender.iss }] : [],
    ),
    ...judgedAcks.flatMap((one, place) =>
      one.ok && isDisputed(receipts.length + place) ? [one.value.ack] : [],
    ),
  ];
  return { results, disputes };
}

function resultOf(row: Settled | undefined): SubmitResult {
  if (row === undefined) throw new Error("A settled batch lacks an item.");
  const { status, amount } = row;
  switch (status) {
    case "lease_unknown":
      return { status: "refused", code: status };
    case "kept":
    case "already_acked":
    case "too_late":
      return { status };
    default:
      return { status, amount };
  }
}
