import { z } from "zod";
import { Microcredits } from "./microcredits";

/** Bytes that the coordinator takes: a full batch of receipts with their tickets is the largest body there is. */
export const MAX_BODY_BYTES = 1_024 * 1_024;

/** Items, receipts and acks together, that one call works on; those past it are refused as `batch_full`. */
export const MAX_BATCH = 100;
/** Items that are answered at all. */
const MAX_LISTED = 10_000;
/** Characters of a ticket; a longer one is none. */
export const MAX_TICKET_LENGTH = 4_096;

export const SubmitRequest = z
  .object({
    /** The tickets that the requests were served under, each once: they prove client, nodes, model and rates. */
    tickets: z.array(z.string()).min(1).max(MAX_LISTED),
    /** `ReceiptClaims` of the node that sends the batch, each judged by itself. */
    receipts: z.array(z.unknown()).max(MAX_LISTED).default([]),
    /** `AckClaims` of the client that sends the batch, each judged by itself. */
    acks: z.array(z.unknown()).max(MAX_LISTED).optional(),
  })
  .refine(({ receipts, acks = [] }) => receipts.length + acks.length > 0, {
    path: ["receipts"],
    message: "must hold a receipt, or acks an ack",
  });
export type SubmitRequest = z.infer<typeof SubmitRequest>;

export const RefusalCode = z.enum([
  "batch_full",
  "receipt_malformed",
  "receipt_from_future",
  "receipt_outside_lease",
  "receipt_too_late",
  "ack_malformed",
  "ticket_missing",
  "ticket_invalid",
  "lease_unknown",
  "lease_other_client",
  "lease_other_node",
  "lease_other_model",
]);
export type RefusalCode = z.infer<typeof RefusalCode>;

/** One for each item, first the receipts, then the acks, in the order of the request. */
export const SubmitResult = z.discriminatedUnion("status", [
  /** A receipt: so much of it lies in escrow, or has been paid. */
  z.object({ status: z.literal("settled"), amount: Microcredits }),
  z.object({ status: z.literal("already_settled"), amount: Microcredits }),
  /** An ack: it agrees with the receipt, which is paid. */
  z.object({ status: z.literal("matched"), amount: Microcredits }),
  /** An ack: it contradicts the receipt. The smaller was paid; both claims are kept. */
  z.object({ status: z.literal("disputed"), amount: Microcredits }),
  /** An ack: its receipt has not come yet. */
  z.object({ status: z.literal("kept") }),
  z.object({ status: z.literal("already_acked") }),
  /** An ack: its receipt was paid without it. */
  z.object({ status: z.literal("too_late") }),
  z.object({ status: z.literal("refused"), code: RefusalCode }),
]);
export type SubmitResult = z.infer<typeof SubmitResult>;

export const SubmitAnswer = z.object({ results: z.array(SubmitResult) });
export type SubmitAnswer = z.infer<typeof SubmitAnswer>;
