import { expect, it } from "vitest";
import { createTicketBook } from "#peer/worker/admission/ticket-book";
import { importPublicKey } from "#protocol/identity";
import { ISSUER, signingKey, ticketClaims } from "../fake-network";

const NODE = "n".repeat(43);
const CLIENT = "c".repeat(43);

it("knows the latest 4,096 tickets without another look, and no more", async () => {
  const signer = await signingKey("key-1");
  const key = await importPublicKey(signer.publicKey);
  let looks = 0;
  const book = createTicketBook({
    nodeId: NODE,
    keys: {
      adopt() {},
      keyOf() {
        looks += 1;
        return Promise.resolve(key);
      },
    },
    issuer: () => ISSUER,
    serves: () => true,
    nowMs: Date.now,
  });
  const sign = () => signer.sign(ticketClaims(NODE, CLIENT, { jti: crypto.randomUUID() }));
  const tickets = await Promise.all(Array.from({ length: 4_097 }, sign));
  for (const ticket of tickets) expect(await book.check(ticket)).toMatchObject({ ok: true });
  expect(looks).toBe(4_097);
  const [oldest = "", second = ""] = tickets;
  expect(await book.check(second)).toMatchObject({ ok: true });
  expect(looks).toBe(4_097);
  expect(await book.check(oldest)).toMatchObject({ ok: true });
  expect(looks).toBe(4_098);
});
