import { randomBytes } from "node:crypto";
import { PROOF_LIFETIME_S } from "#protocol/proof";
import { keyFromSeed, sha256, type VectorKey } from "#support/vector-keys";
import {
  forge,
  forgeHmac,
  forgeUnsigned,
  withHeader,
  withMalleatedSignature,
  withPayload,
  withSignature,
  withSpareBit,
} from "#support/vector-forge";

export type Json = Readonly<Record<string, unknown>>;

export const newKey = (): VectorKey => keyFromSeed(randomBytes(32));
export const nowS = (): number => Math.floor(Date.now() / 1_000);

/** A token that would be good, and the secret of a keyed hash that a confused verifier could take. */
export type Good = {
  readonly header: Json;
  readonly claims: Json;
  readonly key: VectorKey;
  readonly known: string;
};

/** Forgeries that no JWS verifier may take, whatever the token is for. */
export const FORGERIES: readonly (readonly [tries: string, make: (good: Good) => string])[] = [
  ["with alg none and no signature", ({ header, claims }) => forgeUnsigned(header, claims)],
  [
    "with alg none over a good signature",
    (good) => withHeader(sign(good), { ...good.header, alg: "none" }),
  ],
  [
    "with HS256 under the public key",
    ({ header, claims, known }) => forgeHmac("HS256", header, claims, known),
  ],
  [
    "with HS512 under the public key's bytes",
    ({ header, claims, key }) =>
      forgeHmac("HS512", header, claims, Buffer.from(key.publicKey.x, "base64url")),
  ],
  ["that says RS256", (good) => forge({ ...good.header, alg: "RS256" }, good.claims, good.key)],
  ["that says ES256", (good) => forge({ ...good.header, alg: "ES256" }, good.claims, good.key)],
  ["without alg", (good) => forge({ ...good.header, alg: undefined }, good.claims, good.key)],
  ["without typ", (good) => forge({ ...good.header, typ: undefined }, good.claims, good.key)],
  ["that is just a JWT", (good) => forge({ ...good.header, typ: "JWT" }, good.claims, good.key)],
  [
    "of another kind",
    (good) => forge({ ...good.header, typ: "troop-receipt+jwt" }, good.claims, good.key),
  ],
  [
    "with an extension that must be understood",
    (good) => forge({ ...good.header, crit: ["x"], x: 1 }, good.claims, good.key),
  ],
  ["signed by a stranger's key", (good) => forge(good.header, good.claims, newKey())],
  [
    "whose claims were changed",
    (good) => withPayload(sign(good), { ...good.claims, exp: nowS() + 50 }),
  ],
  ["whose signature has another spelling", (good) => withSpareBit(sign(good))],
  ["whose signature was malleated", (good) => withMalleatedSignature(sign(good))],
  ["with no signature", (good) => withSignature(sign(good), new Uint8Array())],
  ["with a signature of zeros", (good) => withSignature(sign(good), new Uint8Array(64))],
  ["with padding at its end", (good) => `${sign(good)}==`],
  ["in JSON's serialisation", (good) => JSON.stringify({ payload: sign(good) })],
  ["cut in half", (good) => sign(good).slice(0, 100)],
  ["twice in one header", (good) => `${sign(good)}, ${sign(good)}`],
  ["whose claims are no JSON", (good) => forge(good.header, "no json", good.key)],
  ["whose claims are a list", (good) => forge(good.header, "[]", good.key)],
];

export function sign({ header, claims, key }: Good): string {
  return forge(header, claims, key);
}

/** What is proven: as in `ProvenRequest`. */
export type Asked = {
  readonly audience: string;
  readonly method: string;
  readonly target: string;
  readonly body?: string;
};

export function goodProof(key: VectorKey, asked: Asked, claims: Json = {}): Good {
  return {
    key,
    known: key.publicKey.x,
    header: { alg: "EdDSA", typ: "troop-proof+jwt", jwk: key.publicKey },
    claims: {
      iss: key.peerId,
      aud: asked.audience,
      htm: asked.method,
      htu: asked.audience + asked.target,
      iat: nowS(),
      exp: nowS() + PROOF_LIFETIME_S,
      jti: crypto.randomUUID(),
      bh: sha256(asked.body ?? ""),
      ...claims,
    },
  };
}
