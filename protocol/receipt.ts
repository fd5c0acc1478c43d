import { z } from "zod";
import { EngineKind, ModelId } from "./model-offer";

const DAY_MS = 86_400_000;

export const ReceiptOutcome = z.enum([
  "completed",
  "cancelled",
  "engine_error",
  "budget_exhausted",
]);
export type ReceiptOutcome = z.infer<typeof ReceiptOutcome>;

const DurationMs = z.int().nonnegative().max(DAY_MS);
const Tokens = z.int().nonnegative().max(1_000_000_000);
const Hash = z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be 32 bytes in base64url");

/**
 * What a node says of one request that it served. Times in milliseconds, by the node's clock. The proof of the call that
 * brings it names the node and signs it, with all that the call brings (docs/decisions/0013).
 */
export const ReceiptClaims = z.object({
  /** The lease. */
  lease: z.uuid(),
  /** The request's number within the lease, from the client's proof. */
  seq: z
    .int()
    .nonnegative()
    .max(2 ** 31 - 1),
  model: ModelId,
  engine: EngineKind,
  /** Unix milliseconds. */
  started_at_ms: z.int().positive(),
  queue_ms: DurationMs,
  /** From the start to the first byte; absent where none came. */
  ttft_ms: DurationMs.optional(),
  engine_ms: DurationMs,
  /** Absent where the engine did not say. */
  prompt_tokens: Tokens.optional(),
  completion_tokens: Tokens.optional(),
  outcome: ReceiptOutcome,
  request_hash: Hash,
  /** Absent where nothing came back. */
  response_hash: Hash.optional(),
});
export type ReceiptClaims = z.infer<typeof ReceiptClaims>;
