import * as fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { sha256Base64url } from "#protocol/encoding";
import { generatePrivateKey, type Identity, openIdentity } from "#protocol/identity";
import { CLOCK_SKEW_S } from "#protocol/jws";
import {
  EMPTY_BODY_HASH,
  hashBody,
  nodeAudience,
  PROOF_LIFETIME_S,
  ProofClaims,
  type ProvenRequest,
  signProof,
  verifyProof,
} from "#protocol/proof";
import { bitFlip, flipBit, hash, jti, provenRequest, seconds } from "./arbitraries";
import { boundsOf } from "./schema-bounds";

const NOW_MS = 1_800_000_000_000;
const JTI = "0123456789abcdef";
const REQUEST: ProvenRequest = {
  audience: "https://coordinator.example",
  method: "POST",
  target: "/authorize",
  bodyHash: EMPTY_BODY_HASH,
};

let signer: Identity;
beforeAll(async () => {
  signer = await openIdentity(await generatePrivateKey());
});

boundsOf(
  "ProofClaims",
  ProofClaims,
  {
    iss: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
    aud: REQUEST.audience,
    htm: "POST",
    htu: `${REQUEST.audience}/authorize`,
    iat: 1_800_000_000,
    exp: 1_800_000_060,
    jti: JTI,
    bh: EMPTY_BODY_HASH,
    seq: 1,
  },
  {
    optional: ["seq"],
    integers: { seq: { min: 0, max: 2 ** 31 - 1 } },
    texts: {
      htm: { min: 0, max: 16 },
      htu: { min: 0, max: 4_096 },
      jti: { min: 16, max: 64 },
      bh: { min: 43, max: 43 },
    },
    refuses: [
      ["a fraction in iat", "iat", 0.5],
      ["a fraction in exp", "exp", 0.5],
      ["an exp above 2^53", "exp", 2 ** 53],
    ],
  },
);

it("a proof of any request is taken for it, and names who signed", async () => {
  const seq = fc.option(fc.integer({ min: 0, max: 2 ** 31 - 1 }), { nil: undefined });
  await fc.assert(
    fc.asyncProperty(provenRequest, jti, seconds, seq, async (request, jti, now, seq) => {
      const numbered = { ...request, ...(seq !== undefined && { seq }) };
      const proof = await signProof(signer, numbered, jti, now * 1_000);
      const verified = await verifyProof(proof, request, now * 1_000);
      expect(verified).toMatchObject({ ok: true, value: { iss: signer.peerId, jti } });
      if (verified.ok) expect(verified.value.seq).toBe(seq);
      if (verified.ok) expect(verified.value.key).toEqual(signer.publicKey);
    }),
  );
});

it("a proof of one request is taken for no other", async () => {
  const proof = await signProof(signer, REQUEST, JTI, NOW_MS);
  const different = fc.oneof(
    provenRequest,
    fc.record({ method: fc.string() }).map((change) => ({ ...REQUEST, ...change })),
    fc.record({ target: fc.string() }).map((change) => ({ ...REQUEST, ...change })),
    fc.record({ bodyHash: hash }).map((change) => ({ ...REQUEST, ...change })),
    fc.record({ audience: fc.string() }).map((change) => ({ ...REQUEST, ...change })),
  );
  await fc.assert(
    fc.asyncProperty(different, async (request) => {
      fc.pre(JSON.stringify(request) !== JSON.stringify(REQUEST));
      expect((await verifyProof(proof, request, NOW_MS)).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
});

it("text cannot move between audience and target", async () => {
  const split = { ...REQUEST, audience: `${REQUEST.audience}/auth`, target: "orize" };
  const proof = await signProof(signer, split, JTI, NOW_MS);
  expect(await verifyProof(proof, REQUEST, NOW_MS)).toEqual({
    ok: false,
    reason: "wrong_audience",
  });
});

it("a proof with one bit changed, wherever, is refused and never throws", async () => {
  const proof = await signProof(signer, REQUEST, JTI, NOW_MS);
  await fc.assert(
    fc.asyncProperty(bitFlip, async (flip) => {
      expect((await verifyProof(flipBit(proof, flip), REQUEST, NOW_MS)).ok).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

it("a proof is good for its minute and the skew on both sides, and at no other moment", async () => {
  const proof = await signProof(signer, REQUEST, JTI, NOW_MS);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: -200, max: 200 }), async (later) => {
      const { ok } = await verifyProof(proof, REQUEST, NOW_MS + later * 1_000);
      expect(ok).toBe(later >= -CLOCK_SKEW_S && later < PROOF_LIFETIME_S + CLOCK_SKEW_S);
    }),
  );
});

it("any text that is no proof is malformed, and never throws", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      const refused = await verifyProof(text, REQUEST, NOW_MS);
      expect(refused).toEqual({ ok: false, reason: "malformed" });
    }),
  );
});

it("any bytes for a public key in the header are refused, and never throw", async () => {
  const [, payload, signature] = (await signProof(signer, REQUEST, JTI, NOW_MS)).split(".");
  await fc.assert(
    fc.asyncProperty(hash, async (x) => {
      const jwk = { kty: "OKP", crv: "Ed25519", x };
      const header = Buffer.from(JSON.stringify({ jwk, alg: "EdDSA", typ: "troop-proof+jwt" }));
      const proof = `${header.toString("base64url")}.${payload}.${signature}`;
      const refused = await verifyProof(proof, REQUEST, NOW_MS);
      expect(refused).toEqual({ ok: false, reason: "bad_signature" });
    }),
  );
});

it("no body and an empty one have the hash of nothing", async () => {
  expect(EMPTY_BODY_HASH).toBe(await sha256Base64url(""));
  expect(await hashBody(undefined)).toBe(EMPTY_BODY_HASH);
  expect(await hashBody("")).toBe(EMPTY_BODY_HASH);
  expect(await hashBody(new Uint8Array())).toBe(EMPTY_BODY_HASH);
});

it("a text and its UTF-8 bytes have one hash", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
      expect(await hashBody(text)).toBe(await hashBody(new TextEncoder().encode(text)));
    }),
  );
});

it("a node's audience is no coordinator's address", () => {
  expect(nodeAudience(signer.peerId)).toBe(`troop:${signer.peerId}`);
});
