import { z } from "zod";
import { sha256Base64url } from "./encoding";
import {
  type Identity,
  openPublicKey,
  type OpenPublicKey,
  type PeerId,
  PublicKey,
} from "./identity";
import { CLOCK_SKEW_S, type JwsRefusal, readHeader, signPeerJws, verifyJws } from "./jws";
import type { Outcome } from "./outcome";

/** The header that carries a proof, to the coordinator and to nodes. */
export const PROOF_HEADER = "troop-proof";
const PROOF_TYP = "troop-proof+jwt";
/** Seconds from `iat` to `exp`; longer ones are refused. */
export const PROOF_LIFETIME_S = 60;

/** Strict: a header that shows a private key (`d`) is refused, as in RFC 9449, 4.3. */
const ProofHeader = z.object({ jwk: PublicKey.strict() });

export const ProofClaims = z.object({
  iss: z.string(),
  aud: z.string(),
  /** HTTP method, upper case. */
  htm: z.string().max(16),
  /** Audience, then path and query as they stand in the request line. */
  htu: z.string().max(4_096),
  iat: z.int(),
  exp: z.int(),
  jti: z.string().min(16).max(64),
  /** SHA-256 of the body (of nothing, where there is none), base64url. */
  bh: z.string().regex(/^[A-Za-z0-9_-]{43}$/, "must be 32 bytes in base64url"),
  /** On requests to a node: the number of this request within its lease. */
  seq: z
    .int()
    .nonnegative()
    .max(2 ** 31 - 1)
    .optional(),
});
export type ProofClaims = z.infer<typeof ProofClaims>;

/** What a proof is about. `audience`: the coordinator's public URL without a trailing slash, or `troop:<node id>`. */
export type ProvenRequest = {
  readonly audience: string;
  readonly method: string;
  /** Path and query, as in the request line, below the audience. */
  readonly target: string;
  readonly bodyHash: string;
};

export type ProofRefusal =
  | JwsRefusal
  | { readonly reason: "wrong_key" }
  | { readonly reason: "wrong_request" }
  | { readonly reason: "wrong_body" }
  | { readonly reason: "lives_too_long" }
  | { readonly reason: "clock_ahead"; readonly aheadSeconds: number };

/** Hash of an empty body, so that bodiless calls need no digest. */
export const EMPTY_BODY_HASH = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

export function nodeAudience(nodeId: PeerId): string {
  return `troop:${nodeId}`;
}

export async function hashBody(
  body: Uint8Array<ArrayBuffer> | string | undefined,
): Promise<string> {
  if (body === undefined || body.length === 0) return EMPTY_BODY_HASH;
  return sha256Base64url(body);
}

/** Signs one request; a proof is good for one use within a minute. */
export function signProof(
  identity: Identity,
  request: ProvenRequest & { readonly seq?: number },
  jti: string,
  nowMs: number,
): Promise<string> {
  const iat = Math.floor(nowMs / 1_000);
  const claims = {
    iss: identity.peerId,
    aud: request.audience,
    htm: request.method,
    htu: request.audience + request.target,
    iat,
    exp: iat + PROOF_LIFETIME_S,
    jti,
    bh: request.bodyHash,
    ...(request.seq !== undefined && { seq: request.seq }),
  };
  return signPeerJws(PROOF_TYP, claims, identity.sign, { jwk: identity.publicKey });
}

/**
 * Verifies who sent a request and that it is this one; a caller still has to mark `jti` as used.
 * `bodyHash` may be left out by who checks `bh` later, while the body streams. `open`: for who meets the same keys often.
 */
export async function verifyProof(
  proof: string,
  request: Omit<ProvenRequest, "bodyHash"> & { readonly bodyHash?: string },
  nowMs: number,
  open: (key: PublicKey) => Promise<OpenPublicKey> = openPublicKey,
): Promise<Outcome<ProofClaims & { readonly key: PublicKey }, ProofRefusal>> {
  const header = readHeader(proof, ProofHeader);
  if (header === undefined) return { ok: false, reason: "malformed" };

  const { key, peerId } = await open(header.jwk);
  const verified = await verifyJws(proof, key, ProofClaims, {
    typ: PROOF_TYP,
    audience: request.audience,
    nowMs,
  });
  if (!verified.ok) return verified;

  const claims = verified.value;
  if (claims.iss !== peerId) return { ok: false, reason: "wrong_key" };
  const refusal = checkRequest(claims, request, nowMs);
  return refusal ?? { ok: true, value: { ...claims, key: header.jwk } };
}

/** What a verified proof's claims have to say of the request that it came with; `undefined` where they do. */
export function checkRequest(
  claims: ProofClaims,
  request: Omit<ProvenRequest, "bodyHash"> & { readonly bodyHash?: string },
  nowMs: number,
): ({ ok: false } & ProofRefusal) | undefined {
  if (claims.exp - claims.iat > PROOF_LIFETIME_S) return { ok: false, reason: "lives_too_long" };
  const aheadSeconds = Math.ceil(claims.iat - nowMs / 1_000);
  if (aheadSeconds > CLOCK_SKEW_S) return { ok: false, reason: "clock_ahead", aheadSeconds };
  if (claims.htm !== request.method) return { ok: false, reason: "wrong_request" };
  if (claims.htu !== request.audience + request.target)
    return { ok: false, reason: "wrong_request" };
  if (request.bodyHash !== undefined && claims.bh !== request.bodyHash) {
    return { ok: false, reason: "wrong_body" };
  }
  return undefined;
}
