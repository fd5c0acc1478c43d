import { expect, it } from "vitest";
import { createProofVerifier } from "#peer/worker/admission/proof-verifier";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import { signJws } from "#protocol/jws";
import { EMPTY_BODY_HASH, signProof, verifyProof } from "#protocol/proof";

const identity = await openIdentity(await generatePrivateKey());
const stranger = await openIdentity(await generatePrivateKey());
const NOW = Date.UTC(2030, 0, 1);
const ASKED = { audience: "troop:node", method: "POST", target: "/v1/chat/completions" };
const GOOD = {
  iss: identity.peerId,
  aud: ASKED.audience,
  htm: "POST",
  htu: ASKED.audience + ASKED.target,
  iat: NOW / 1_000,
  exp: NOW / 1_000 + 60,
  jti: "0123456789abcdef",
  bh: EMPTY_BODY_HASH,
  seq: 1,
};

function signed(claims: Record<string, unknown>, typ = "troop-proof+jwt"): Promise<string> {
  return signJws(typ, { ...GOOD, ...claims }, identity.signingKey, { jwk: identity.publicKey });
}

/** With the last bit of the signature's first byte, or of a part, changed. */
function altered(token: string, part: number): string {
  const parts = token.split(".");
  const text = parts[part] ?? "";
  const other = text.startsWith("A") ? "B" : "A";
  return parts.with(part, other + text.slice(1)).join(".");
}

const good = await signed({});
const CASES: Readonly<Record<string, string>> = {
  "a good one": good,
  "another body's": await signed({ bh: "x".repeat(43) }),
  "one with unknown claims": await signed({ more: 1 }),
  "an old one": await signed({ iat: GOOD.iat - 200, exp: GOOD.exp - 200 }),
  "one at the edge of the skew": await signed({ iat: GOOD.iat - 90, exp: GOOD.exp - 90 }),
  "one just within the skew": await signed({ iat: GOOD.iat - 89, exp: GOOD.exp - 89 }),
  "one from the future": await signed({ iat: GOOD.iat + 31, exp: GOOD.exp + 31 }),
  "one that lives too long": await signed({ exp: GOOD.exp + 1 }),
  "one not valid yet": await signed({ nbf: GOOD.iat + 1_000 }),
  "one for another node": await signed({ aud: "troop:other" }),
  "one for several": await signed({ aud: [ASKED.audience] }),
  "one for another path": await signed({ htu: `${ASKED.audience}/v1/other` }),
  "one for another method": await signed({ htm: "GET" }),
  "another peer's name": await signed({ iss: stranger.peerId }),
  "one without a number": await signed({ jti: undefined }),
  "a wrong shape": await signed({ bh: 5 }),
  "another kind of token": await signed({}, "troop-receipt+jwt"),
  "one signed by somebody else": await signJws("troop-proof+jwt", GOOD, stranger.signingKey, {
    jwk: identity.publicKey,
  }),
  "an altered header": altered(good, 0),
  "altered claims": altered(good, 1),
  "an altered signature": altered(good, 2),
  "a shortened one": good.slice(0, -1),
  "one with a space": `${good.slice(0, -20)} ${good.slice(-20)}`,
  "one with a part more": `${good}.x`,
  "no token": "x",
  nothing: "",
};

it.each(Object.entries(CASES))(
  "says of %s what the protocol says, before and after it knows the peer",
  async (_, proof) => {
    const expected = await verifyProof(proof, ASKED, NOW);
    const verify = createProofVerifier();
    const verdict = async () => {
      const { ok, ...rest } = await verify(proof, ASKED, NOW);
      return ok ? { ok } : { ok, ...rest };
    };
    const wanted = expected.ok ? { ok: true } : expected;
    expect(await verdict()).toEqual(wanted);
    expect((await verify(good, ASKED, NOW)).ok).toBe(true);
    expect(await verdict()).toEqual(wanted);
  },
);

it("gives the claims that the client signed", async () => {
  const verify = createProofVerifier();
  const request = { ...ASKED, bodyHash: EMPTY_BODY_HASH };
  for (const seq of [1, 2]) {
    const proof = await signProof(identity, { ...request, seq }, `0123456789abcde${seq}`, NOW);
    const verified = await verify(proof, ASKED, NOW);
    expect(verified).toMatchObject({ ok: true, value: { seq, iss: identity.peerId } });
  }
});
