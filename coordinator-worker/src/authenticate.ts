import { counted } from "#protocol/counted";
import {
  hashBody,
  PROOF_HEADER,
  type ProofClaims,
  type ProofRefusal,
  verifyProof,
} from "#protocol/proof";
import type { PublicKey } from "#protocol/identity";
import { readPayload } from "#protocol/jws";
import type { Outcome } from "#protocol/outcome";
import { z } from "zod";
import type { AppContext } from "./app-env";
import { openKnownKey } from "./known-keys";
import { problem } from "./problem";

export type Proven = ProofClaims & { readonly key: PublicKey };

type AuthRefusal =
  | Exclude<ProofRefusal, { reason: "expired" }>
  /** `ageSeconds`: since when it was made, by the peer's clock. */
  | { readonly reason: "expired"; readonly ageSeconds: number }
  | { readonly reason: "missing" };

const MadeAt = z.object({ iat: z.int() });

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
    const verified = await verifyProof(proof, { ...request, audience }, nowMs(), openKnownKey);
    if (verified.ok) return verified;
    if (verified.reason === "expired") {
      const madeAtS = readPayload(proof, MadeAt)?.iat ?? 0;
      const ageSeconds = Math.round(nowMs() / 1_000 - madeAtS);
      return { ok: false, reason: "expired", ageSeconds };
    }
    if (verified.reason !== "wrong_audience") return verified;
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
        detail: `This peer's clock is ${counted(refusal.aheadSeconds, "second")} ahead. Set it and try again.`,
      });
    case "expired":
      return problem(c, "clock_skew", {
        detail:
          `The proof was made ${counted(refusal.ageSeconds, "second")} ago by this peer's clock. ` +
          "Set it, unless the request was that long on its way, and try again.",
      });
    case "wrong_audience":
      return problem(c, "proof_invalid", {
        detail: `The proof is for another address. Use ${c.get("deps").config.publicUrl} as the coordinator.`,
      });
    default:
      return problem(c, "proof_invalid", { detail: `Reason: ${refusal.reason}.` });
  }
}
