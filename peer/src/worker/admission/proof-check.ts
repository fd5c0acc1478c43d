import { nodeAudience, type ProofRefusal } from "#protocol/proof";
import type { PeerId } from "#protocol/identity";
import type { Outcome } from "#protocol/outcome";
import type { ProofVerifier } from "./proof-verifier";
import type { NodeRefusal, RefusalReason } from "./refusals";

/** What a proof shows a node: who asks, and which request this is. */
export type ProvenCall = {
  readonly peerId: PeerId;
  readonly jti: string;
  /** The request's number within its lease. */
  readonly seq: number;
  /** SHA-256 that the body must have, base64url. */
  readonly bodyHash: string;
};

/** Checks everything about a proof but the body's hash and whether it was used before. */
export async function checkProof(
  verifyProof: ProofVerifier,
  proof: string,
  nodeId: PeerId,
  target: string,
  nowMs: number,
): Promise<Outcome<ProvenCall, NodeRefusal>> {
  const request = { audience: nodeAudience(nodeId), method: "POST", target };
  const verified = await verifyProof(proof, request, nowMs);
  if (!verified.ok) return { ok: false, reason: REASONS[verified.reason] };
  const { iss, jti, seq, bh } = verified.value;
  if (seq === undefined) return { ok: false, reason: "proof_malformed" };
  return { ok: true, value: { peerId: iss, jti, seq, bodyHash: bh } };
}

const REASONS: Readonly<Record<ProofRefusal["reason"], RefusalReason>> = {
  malformed: "proof_malformed",
  wrong_type: "proof_malformed",
  bad_claims: "proof_malformed",
  lives_too_long: "proof_malformed",
  bad_signature: "proof_forged",
  wrong_key: "proof_forged",
  expired: "proof_expired",
  not_yet_valid: "proof_clock_ahead",
  clock_ahead: "proof_clock_ahead",
  wrong_audience: "proof_other_request",
  wrong_issuer: "proof_other_request",
  wrong_request: "proof_other_request",
  wrong_body: "proof_other_body",
};
