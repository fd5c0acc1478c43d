import { createHmac, createPrivateKey, sign } from "node:crypto";
import { base64url, type VectorKey } from "./vector-keys";

type Json = Readonly<Record<string, unknown>>;

/** The order of Ed25519's group (RFC 8032): adding it to a signature's S gives the same sum another spelling. */
const GROUP_ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;

/** A compact JWS over exactly these bytes, whatever header and payload say; signed by node:crypto, not by jose. */
export function forge(
  header: Json | string,
  payload: Json | string | Uint8Array,
  key: VectorKey,
): string {
  const input = signingInput(header, payload);
  const handle = createPrivateKey({ key: key.privateKey, format: "jwk" });
  return `${input}.${base64url(sign(null, Buffer.from(input), handle))}`;
}

/** The same with `alg: none` and no signature. */
export function forgeUnsigned(header: Json, payload: Json): string {
  return `${signingInput({ ...header, alg: "none" }, payload)}.`;
}

/** The same with a keyed hash under a secret of the forger's choice; HS512 is as long as an Ed25519 signature. */
export function forgeHmac(
  alg: "HS256" | "HS512",
  header: Json,
  payload: Json,
  secret: string | Uint8Array,
): string {
  const input = signingInput({ ...header, alg }, payload);
  const hash = alg === "HS256" ? "sha256" : "sha512";
  return `${input}.${createHmac(hash, secret).update(input).digest("base64url")}`;
}

/** The same token with another payload under the old signature. */
export function withPayload(jws: string, payload: Json): string {
  const [header, , signature] = parts(jws);
  return `${header}.${base64url(JSON.stringify(payload))}.${signature}`;
}

/** The same token with another header under the old signature. */
export function withHeader(jws: string, header: Json): string {
  const [, payload, signature] = parts(jws);
  return `${base64url(JSON.stringify(header))}.${payload}.${signature}`;
}

export function withSignature(jws: string, signature: Uint8Array): string {
  const [header, payload] = parts(jws);
  return `${header}.${payload}.${base64url(signature)}`;
}

/** The same token with S + L for S: equal modulo the group's order, so a lax verifier takes it. */
export function withMalleatedSignature(jws: string): string {
  const signature = Buffer.from(parts(jws)[2], "base64url");
  const s = BigInt(`0x${Buffer.from(signature.subarray(32).toReversed()).toString("hex")}`);
  const hex = (s + GROUP_ORDER).toString(16).padStart(64, "0");
  return withSignature(
    jws,
    Buffer.concat([signature.subarray(0, 32), Buffer.from(hex, "hex").toReversed()]),
  );
}

/** The same 64 bytes with a spare bit of the last character set. */
export function withSpareBit(jws: string): string {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return jws.slice(0, -1) + alphabet.charAt(alphabet.indexOf(jws.slice(-1)) + 1);
}

function signingInput(header: Json | string, payload: Json | string | Uint8Array): string {
  return `${base64url(text(header))}.${base64url(payload instanceof Uint8Array ? payload : text(payload))}`;
}

function text(value: Json | string): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function parts(jws: string): [string, string, string] {
  const [header = "", payload = "", signature = ""] = jws.split(".");
  return [header, payload, signature];
}
