import { expect, it } from "vitest";
import { REPLAY_TTL_S } from "#coordinator/store/replay";
import { generatePrivateKey, openIdentity } from "#protocol/identity";
import { CLOCK_SKEW_S } from "#protocol/jws";
import { hashBody, signProof, verifyProof } from "#protocol/proof";

it("remembers a used proof until it is refused for its age, also that of a peer whose clock is ahead", async () => {
  const identity = await openIdentity(await generatePrivateKey());
  const bodyHash = await hashBody(undefined);
  const request = { audience: "https://troop.test", method: "GET", target: "/nodes", bodyHash };
  const usedAtMs = Date.UTC(2030, 0, 1);
  const aheadMs = usedAtMs + CLOCK_SKEW_S * 1_000;
  const proof = await signProof(identity, request, crypto.randomUUID(), aheadMs);
  const isGood = async (nowMs: number) => (await verifyProof(proof, request, nowMs)).ok;

  expect(await isGood(usedAtMs)).toBe(true);
  expect(await isGood(usedAtMs + (REPLAY_TTL_S - 1) * 1_000)).toBe(true);
  expect(await isGood(usedAtMs + REPLAY_TTL_S * 1_000)).toBe(false);
});
