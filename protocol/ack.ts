import { z } from "zod";
import { type Identity, importPublicKey, PeerId, type PublicKey } from "./identity";
import { type JwsRefusal, signPeerJws, verifyJws } from "./jws";
import type { Outcome } from "./outcome";
import { ReceiptClaims } from "./receipt";

const ACK_TYP = "troop-ack+jwt";

const { lease, seq, ttft_ms, prompt_tokens, completion_tokens, outcome } = ReceiptClaims.shape;
const { engine_ms: DurationMs, request_hash: Hash } = ReceiptClaims.shape;

/**
 * What a client says of one request that it sent: the other half of the node's receipt. Times in milliseconds, by the
 * client's clock.
 */
export const AckClaims = z.object({
  /** The client. */
  iss: PeerId,
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

export function signAck(identity: Identity, claims: Omit<AckClaims, "iss">): Promise<string> {
  return signPeerJws(ACK_TYP, { ...claims, iss: identity.peerId }, identity.sign);
}

/** An ack never expires, like a receipt; one that comes late changes nothing any more. */
export async function verifyAck(
  ack: string,
  key: PublicKey,
  issuer: PeerId,
  nowMs: number,
): Promise<Outcome<AckClaims, JwsRefusal>> {
  return verifyJws(ack, await importPublicKey(key), AckClaims, { typ: ACK_TYP, issuer, nowMs });
}
