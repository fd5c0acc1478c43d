import { z } from "zod";
import { PeerId } from "./identity";
import { ReceiptClaims } from "./receipt";

const { lease, seq, ttft_ms, prompt_tokens, completion_tokens, outcome } = ReceiptClaims.shape;
const { engine_ms: DurationMs, request_hash: Hash } = ReceiptClaims.shape;

/**
 * What a client says of one request that it sent: the other half of the node's receipt. Times in milliseconds, by the
 * client's clock. Signed by the proof of the call that brings it, like a receipt.
 */
export const AckClaims = z.object({
  lease,
  seq,
  /** The node that the request was sent to. */
  node: PeerId,
  /** From just before the request was sent until its last byte, or its end: never less than the node can have worked. */
  wall_ms: DurationMs,
  /** Until the first byte; absent where none came. */
  ttft_ms,
  /** As the client read them; absent where it could not. */
  prompt_tokens,
  completion_tokens,
  /** What the client saw. */
  outcome,
  request_hash: Hash,
  /** Of the bytes that arrived; absent where none did. */
  response_hash: Hash.optional(),
});
export type AckClaims = z.infer<typeof AckClaims>;
