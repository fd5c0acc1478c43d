import * as fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import {
  generatePrivateKey,
  type Identity,
  importPublicKey,
  openIdentity,
} from "#protocol/identity";
import { CLOCK_SKEW_S, readHeader, signJws, signPeerJws, verifyJws } from "#protocol/jws";
import { bitFlip, flipBit, seconds } from "./arbitraries";

const TYP = "troop-test+jwt";
const Claims = z.object({ say: z.json() });
const Timed = z.object({ exp: z.int().optional(), nbf: z.int().optional() });

let signer: Identity;
beforeAll(async () => {
  signer = await openIdentity(await generatePrivateKey());
});

const sign = (claims: Record<string, unknown>, typ = TYP) =>
  signJws(typ, claims, signer.signingKey);

async function verify(token: string, claims: z.ZodType, nowMs = 0) {
  return verifyJws(token, await importPublicKey(signer.publicKey), claims, { typ: TYP, nowMs });
}

it("any claims come back as they were signed", async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue(), async (value) => {
      // zod leaves a key of that name out of what it parses, so that nothing can be polluted.
      fc.pre(!JSON.stringify(value).includes('"__proto__"'));
      const say: unknown = JSON.parse(JSON.stringify(value));
      expect(await verify(await sign({ say }), Claims)).toEqual({ ok: true, value: { say } });
    }),
  );
});

it("a token with one bit changed, wherever, is refused and never throws", async () => {
  const token = await sign({ say: "pay the node" });
  await fc.assert(
    fc.asyncProperty(bitFlip, async (flip) => {
      expect((await verify(flipBit(token, flip), Claims)).ok).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

it("each single bit of a token's last character counts", async () => {
  const token = await sign({ say: "pay the node" });
  for (let bit = 0; bit < 8; bit++) {
    const tampered = flipBit(token, { at: token.length - 1, bit });
    expect((await verify(tampered, Claims)).ok).toBe(false);
  }
});

it("a token with something put in, taken out or put behind is refused", async () => {
  const token = await sign({ say: "pay the node" });
  await fc.assert(
    fc.asyncProperty(fc.nat(token.length), fc.nat(3), fc.string(), async (at, cut, text) => {
      const tampered = token.slice(0, at) + text + token.slice(at + cut);
      fc.pre(tampered !== token);
      expect((await verify(tampered, Claims)).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
});

it("any text that is no token is malformed, and never throws", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
      expect(await verify(text, Claims)).toEqual({ ok: false, reason: "malformed" });
      expect(readHeader(text, z.object({}))).toBeUndefined();
    }),
  );
});

it("a token of another type is refused, whatever the type", async () => {
  await fc.assert(
    fc.asyncProperty(fc.stringMatching(/^[a-z+-]{1,30}$/), async (typ) => {
      fc.pre(typ !== TYP);
      const refused = await verify(await sign({ say: 1 }, typ), Claims);
      expect(refused).toEqual({ ok: false, reason: "wrong_type" });
    }),
  );
});

it("a token ends when its `exp` lies behind by the skew, and not a second sooner", async () => {
  await fc.assert(
    fc.asyncProperty(seconds, fc.integer({ min: -60, max: 60 }), async (now, offset) => {
      const ended = await verify(await sign({ exp: now + offset }), Timed, now * 1_000);
      expect(ended.ok).toBe(offset > -CLOCK_SKEW_S);
      if (!ended.ok) expect(ended.reason).toBe("expired");
    }),
  );
});

it("a token starts when its `nbf` lies ahead by no more than the skew; a refusal says how far", async () => {
  await fc.assert(
    fc.asyncProperty(seconds, fc.integer({ min: -60, max: 1_000_000 }), async (now, ahead) => {
      const early = await verify(await sign({ nbf: now + ahead }), Timed, now * 1_000);
      if (ahead <= CLOCK_SKEW_S) expect(early.ok).toBe(true);
      else expect(early).toEqual({ ok: false, reason: "not_yet_valid", aheadSeconds: ahead });
    }),
  );
});

it("a time that is no number is a bad claim, and tells no time", async () => {
  for (const field of ["nbf", "exp", "iat"]) {
    const refused = await verify(await sign({ [field]: "soon" }), Timed);
    expect(refused).toEqual({ ok: false, reason: "bad_claims", field });
  }
});

it("a refusal of claims names the field and holds none of its value", async () => {
  const Nested = z.object({ list: z.array(z.object({ n: z.int() })) });
  const refused = await verify(await sign({ list: [{ n: 1 }, { n: "secret" }] }), Nested);
  expect(refused).toEqual({ ok: false, reason: "bad_claims", field: "list.1.n" });
});

it("the caller's header cannot change algorithm or type", async () => {
  const header = { alg: "none", typ: "JWT", kid: "k" };
  const token = await signJws(TYP, { say: 1 }, signer.signingKey, header);
  const read = readHeader(token, z.record(z.string(), z.string()));
  expect(read).toEqual({ alg: "EdDSA", typ: TYP, kid: "k" });
});

it("a peer signs the very token that jose would", async () => {
  const claims = { say: "Grüße", n: 1, nested: { list: [true, null] } };
  const header = { jwk: signer.publicKey };
  expect(await signPeerJws(TYP, claims, signer.sign, header)).toBe(
    await signJws(TYP, claims, signer.signingKey, header),
  );
});
