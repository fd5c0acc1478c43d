import {
  base64url,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JWTPayload,
} from "jose";
import type { z } from "zod";
import type { Sign } from "./identity";
import type { Outcome } from "./outcome";

/** Seconds by which two honest clocks may differ. */
export const CLOCK_SKEW_S = 30;

export type JwsRefusal =
  | { readonly reason: "malformed" }
  | { readonly reason: "wrong_type" }
  | { readonly reason: "bad_signature" }
  | { readonly reason: "expired" }
  | { readonly reason: "not_yet_valid"; readonly aheadSeconds: number }
  | { readonly reason: "wrong_audience" }
  | { readonly reason: "wrong_issuer" }
  | { readonly reason: "bad_claims"; readonly field: string };

/**
 * Three base64url parts, the last of 64 bytes in their one canonical spelling (RFC 7515, 5.2): without this a decoder
 * lets spaces, padding and spare bits through, and one token has many spellings.
 */
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]{85}[AQgw]$/;

/** Signs claims as a compact JWS, EdDSA, with a `typ` that keeps one kind from passing as another. */
export function signJws(
  typ: string,
  claims: JWTPayload,
  key: CryptoKey,
  header: Record<string, unknown> = {},
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ ...header, alg: "EdDSA", typ }).sign(key);
}

/** The same for a peer, that signs by its own means: each of its requests costs a signature. */
export async function signPeerJws(
  typ: string,
  claims: JWTPayload,
  sign: Sign,
  header: Record<string, unknown> = {},
): Promise<string> {
  const parts = [{ ...header, alg: "EdDSA", typ }, claims].map((part) =>
    base64url.encode(JSON.stringify(part)),
  );
  const input = parts.join(".");
  const signature = new Uint8Array(await sign(new Uint8Array(ascii.encode(input))));
  return `${input}.${base64url.encode(signature)}`;
}

const ascii = new TextEncoder();

type Expected = {
  readonly typ: string;
  readonly nowMs: number;
  readonly audience?: string;
  readonly issuer?: string;
};

/** Verifies signature, `typ`, times, issuer and audience, then the shape of the claims. Only EdDSA. */
export async function verifyJws<Schema extends z.ZodType>(
  token: string,
  key: CryptoKey,
  claims: Schema,
  expected: Expected,
): Promise<Outcome<z.infer<Schema>, JwsRefusal>> {
  if (!COMPACT_JWS.test(token)) return { ok: false, reason: "malformed" };
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ["EdDSA"],
      typ: expected.typ,
      clockTolerance: CLOCK_SKEW_S,
      currentDate: new Date(expected.nowMs),
      ...(expected.audience !== undefined && { audience: expected.audience }),
      ...(expected.issuer !== undefined && { issuer: expected.issuer }),
    });
    const parsed = claims.safeParse(payload);
    if (parsed.success) return { ok: true, value: parsed.data };
    const field = parsed.error.issues[0]?.path.join(".") ?? "";
    return { ok: false, reason: "bad_claims", field };
  } catch (cause) {
    return { ok: false, ...refusalOf(cause, expected.nowMs) };
  }
}

/** The protected header, unverified: only good for picking a key. */
export function readHeader<Schema extends z.ZodType>(
  token: string,
  schema: Schema,
): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(decodeProtectedHeader(token)).data;
  } catch {
    return undefined; // Not a compact JWS at all; the caller refuses it as malformed.
  }
}

/** The claims, unverified: only good for deciding how to verify. */
export function readPayload<Schema extends z.ZodType>(
  token: string,
  schema: Schema,
): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(decodeJwt(token)).data;
  } catch {
    return undefined; // Not a compact JWS at all; the caller refuses it as malformed.
  }
}

function refusalOf(cause: unknown, nowMs: number): JwsRefusal {
  if (cause instanceof errors.JWTExpired) return { reason: "expired" };
  if (cause instanceof errors.JWSSignatureVerificationFailed) return { reason: "bad_signature" };
  if (cause instanceof errors.JWTClaimValidationFailed) {
    if (cause.claim === "aud") return { reason: "wrong_audience" };
    if (cause.claim === "iss") return { reason: "wrong_issuer" };
    if (cause.claim === "typ") return { reason: "wrong_type" };
    // A `nbf` that is no number fails under the same claim, with another `reason`.
    if (cause.claim === "nbf" && cause.reason === "check_failed") {
      const aheadSeconds = Math.ceil((cause.payload.nbf ?? 0) - nowMs / 1_000);
      return { reason: "not_yet_valid", aheadSeconds };
    }
    return { reason: "bad_claims", field: cause.claim };
  }
  if (cause instanceof errors.JOSEError) return { reason: "malformed" };
  throw new Error("Verifying a signature failed unexpectedly.", { cause });
}
