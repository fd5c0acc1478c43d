import { z } from "zod";
import { Microcredits } from "./microcredits";

/** Bytes that the coordinator takes: a full batch of receipts with their tickets is the largest body there is. */
export const MAX_BODY_BYTES = 1_024 * 1_024;

/** Receipts that one call may carry. */
export const MAX_BATCH = 100;

export const SubmitRequest = z.object({
  /** The tickets that the receipts were served under, each once: they prove node, model and rate. */
  tickets: z.array(z.string().min(1).max(4_096)).min(1).max(MAX_BATCH),
  /** Compact JWS, each by the node that sends the batch. */
  receipts: z.array(z.string().min(1).max(4_096)).min(1).max(MAX_BATCH),
});
export type SubmitRequest = z.infer<typeof SubmitRequest>;

export const RefusalCode = z.enum([
  "receipt_malformed",
  "receipt_bad_signature",
  "receipt_foreign",
  "ticket_missing",
  "ticket_invalid",
  "lease_unknown",
  "lease_other_node",
  "lease_other_model",
  "receipt_from_future",
  "receipt_outside_lease",
  "receipt_too_late",
]);
export type RefusalCode = z.infer<typeof RefusalCode>;

/** One for each item, in the order of the request. */
export const SubmitResult = z.discriminatedUnion("status", [
  z.object({ status: z.literal("settled"), amount: Microcredits }),
  z.object({ status: z.literal("already_settled"), amount: Microcredits }),
  z.object({ status: z.literal("refused"), code: RefusalCode }),
]);
export type SubmitResult = z.infer<typeof SubmitResult>;

export const SubmitAnswer = z.object({ results: z.array(SubmitResult) });
export type SubmitAnswer = z.infer<typeof SubmitAnswer>;
