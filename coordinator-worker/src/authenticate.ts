import {
  hashBody,
  PROOF_HEADER,
  type ProofClaims,
  type ProofRefusal,
  verifyProof,
} from "#protocol/proof";
import type { PublicKey } from "#protocol/identity";
import type { Outcome } from "#protocol/outcome";
import type { AppContext } from "./app-env";
import { problem } from "./problem";

export type Proven = ProofClaims & { readonly key: PublicKey };

type AuthRefusal = ProofRefusal | { readonly reason: "missing" };

/**
 * Who sent this request, by its proof alone: no store is asked. The caller marks the proof as used together with
 * whatever it asks of Redis, so that it costs no round trip of its own.
 */
export async function authenticate(c: AppContext): Promise<Outcome<Proven, AuthRefusal>> {
  const proof = c.req.header(PROOF_HEADER);
  if (proof === undefined) return { ok: false, reason: "missing" };

  const { config, nowMs } = c.get("deps");
  const url = new URL(c.req.url);
  const bodyHash = await hashBody(new Uint8Array(await c.req.arrayBuffer()));
  const request = { method: c.req.method, target: url.pathname + url.search, bodyHash };
  let refused: AuthRefusal = { reason: "missing" };
  for (const audience of config.audiences) {
    const verified = await verifyProof(proof, { ...request, audience }, nowMs());
    if (verified.ok || verified.reason !== "wrong_audience") return verified;
    refused = verified;
  }
  return { ok: false, ...refused };
}

/** The answer to a request whose proof was refused; says what to do, not what was in it. */
export function refuseProof(c: AppContext, refusal: AuthRefusal) {
  switch (refusal.reason) {
    case "missing":
      return problem(c, "proof_missing", { detail: `Send a ${PROOF_HEADER} header.` });
    case "clock_ahead":
    case "not_yet_valid":
      return problem(c, "clock_skew", {
        detail: `This peer's clock is ${refusal.aheadSeconds} seconds ahead. Set it and try again.`,
      });
    case "expired":
      return problem(c, "clock_skew", {
        detail:
          "The proof is too old: this peer's clock is behind, or the request was long on its way.",
      });
    case "wrong_audience":
      return problem(c, "proof_invalid", {
        detail: `The proof is for another address. Use ${c.get("deps").config.publicUrl} as the coordinator.`,
      });
    default:
      return problem(c, "proof_invalid", { detail: `Reason: ${refusal.reason}.` });
  }
}
