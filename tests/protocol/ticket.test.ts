import * as fc from "fast-check";
import { ExtendRequest } from "#protocol/authorize";
import { SubmitRequest } from "#protocol/submit";
import { beforeAll, expect, it } from "vitest";
import {
  generatePrivateKey,
  type Identity,
  importPublicKey,
  openIdentity,
} from "#protocol/identity";
import {
  MAX_CANDIDATES,
  signTicket,
  TicketClaims,
  verifyOwnTicket,
  verifyTicket,
} from "#protocol/ticket";
import { bitFlip, flipBit, ticketClaims } from "./arbitraries";
import { AMOUNT, boundsOf } from "./schema-bounds";

const NODE = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
const CLAIMS = {
  iss: "https://coordinator.example",
  sub: "usr_0123456789abcdefghjkmnpqrs",
  cnf: { jkt: "b".repeat(43) },
  aud: [NODE],
  jti: "7d4f1f86-3a0c-4b7b-9a52-6f0e4a1d2c3b",
  iat: 1_800_000_000,
  nbf: 1_800_000_000,
  exp: 1_800_000_300,
  net: "public",
  model: "llama3.1:8b",
  rates: { [NODE]: 1_000_000 },
  budget: 60_000_000,
};

let coordinator: Identity;
beforeAll(async () => {
  coordinator = await openIdentity(await generatePrivateKey());
});

const sign = (claims: TicketClaims) => signTicket(claims, coordinator.signingKey, "key-1");
const verifyingKey = () => importPublicKey(coordinator.publicKey);

boundsOf("TicketClaims", TicketClaims, CLAIMS, {
  integers: { budget: AMOUNT, [`rates.${NODE}`]: { min: 0, max: 8_000_000 } },
  texts: { model: { min: 1, max: 256 } },
  lists: { aud: { min: 1, max: MAX_CANDIDATES } },
  plain: ["model", "net", "sub", "jti", "cnf.jkt", "aud.0"],
  refuses: [
    ["a fraction in exp", "exp", 0.5],
    ["a rate for what is no node's id", "rates", { node: 1 }],
  ],
});

it("any ticket comes back as it was signed, at each node that it names", async () => {
  await fc.assert(
    fc.asyncProperty(ticketClaims, async (claims) => {
      const ticket = await sign(claims);
      for (const nodeId of claims.aud) {
        const expected = { issuer: claims.iss, nodeId, nowMs: claims.iat * 1_000 };
        const verified = await verifyTicket(ticket, await verifyingKey(), expected);
        expect(verified).toEqual({ ok: true, value: claims });
      }
    }),
  );
});

it("a ticket with one bit changed, wherever, is refused and never throws", async () => {
  const ticket = await sign(CLAIMS);
  const key = await verifyingKey();
  const expected = { issuer: CLAIMS.iss, nodeId: NODE, nowMs: CLAIMS.iat * 1_000 };
  await fc.assert(
    fc.asyncProperty(bitFlip, async (flip) => {
      const tampered = flipBit(ticket, flip);
      expect((await verifyTicket(tampered, key, expected)).ok).toBe(false);
      expect((await verifyOwnTicket(tampered, key, CLAIMS.iss)).ok).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

it("the coordinator knows its own ticket again whenever it comes", async () => {
  await fc.assert(
    fc.asyncProperty(ticketClaims, async (claims) => {
      const known = await verifyOwnTicket(await sign(claims), await verifyingKey(), claims.iss);
      expect(known).toEqual({ ok: true, value: claims });
    }),
  );
});

it("the longest ticket fits where it has to be shown again", async () => {
  const nodes = ["a", "b", "c"].map((letter) => letter.repeat(43));
  const ticket = await sign({
    ...CLAIMS,
    iss: `https://${"i".repeat(253)}/${"p".repeat(100)}`,
    aud: nodes,
    rates: Object.fromEntries(nodes.map((id) => [id, 8_000_000])),
    net: "n".repeat(63),
    model: "猿".repeat(256),
    budget: Number.MAX_SAFE_INTEGER,
  });
  expect(ExtendRequest.shape.ticket.parse(ticket)).toBe(ticket);
  expect(SubmitRequest.shape.tickets.parse([ticket])).toEqual([ticket]);
});
