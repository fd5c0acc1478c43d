import * as fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import {
  ENROLMENT_LIFETIME_S,
  EnrolmentClaims,
  signEnrolment,
  verifyEnrolment,
} from "#protocol/enrolment";
import {
  generatePrivateKey,
  type Identity,
  importPublicKey,
  openIdentity,
} from "#protocol/identity";
import { bitFlip, flipBit, networkId, peerId, rate, seconds, userId } from "./arbitraries";
import { boundsOf } from "./schema-bounds";

const CLAIMS = {
  iss: "https://coordinator.example",
  sub: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
  usr: "usr_0123456789abcdefghjkmnpqrs",
  nets: ["public"],
  rate: 1_000_000,
  iat: 1_800_000_000,
  exp: 1_800_000_000 + ENROLMENT_LIFETIME_S,
};

const enrolments = fc
  .record({
    sub: peerId,
    usr: userId,
    nets: fc.array(networkId, { minLength: 1, maxLength: 64 }),
    rate,
    iat: seconds,
  })
  .map((rest) => ({ iss: CLAIMS.iss, ...rest, exp: rest.iat + ENROLMENT_LIFETIME_S }));

let coordinator: Identity;
beforeAll(async () => {
  coordinator = await openIdentity(await generatePrivateKey());
});

const sign = (claims: EnrolmentClaims) => signEnrolment(claims, coordinator.signingKey, "key-1");

async function verify(enrolment: string, atSeconds: number) {
  const expected = { issuer: CLAIMS.iss, nowMs: atSeconds * 1_000 };
  return verifyEnrolment(enrolment, await importPublicKey(coordinator.publicKey), expected);
}

boundsOf("EnrolmentClaims", EnrolmentClaims, CLAIMS, {
  integers: { rate: { min: 1, max: 8_000_000 } },
  lists: { nets: { min: 1, max: 64 } },
  plain: ["sub", "usr", "nets.0"],
  refuses: [["a fraction in exp", "exp", 0.5]],
});

it("any enrolment comes back as it was signed", async () => {
  await fc.assert(
    fc.asyncProperty(enrolments, async (claims) => {
      expect(await verify(await sign(claims), claims.iat)).toEqual({ ok: true, value: claims });
    }),
  );
});

it("an enrolment with one bit changed, wherever, is refused and never throws", async () => {
  const enrolment = await sign(CLAIMS);
  await fc.assert(
    fc.asyncProperty(bitFlip, async (flip) => {
      expect((await verify(flipBit(enrolment, flip), CLAIMS.iat)).ok).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});
