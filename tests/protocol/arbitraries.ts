import * as fc from "fast-check";
import { base64url } from "jose";
import type { ProvenRequest } from "#protocol/proof";
import { MAX_CANDIDATES, type TicketClaims } from "#protocol/ticket";

/** A moment in Unix seconds, from 2020 to 2100. */
export const seconds = fc.integer({ min: 1_577_836_800, max: 4_102_444_800 });

export const peerId = thirtyTwoBytes();
export const userId = fc.stringMatching(/^usr_[0-9a-z]{26}$/);
export const networkId = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,62}$/);
export const hash = thirtyTwoBytes();
export const modelId = fc.stringMatching(/^[A-Za-z0-9 ._:/@-]{1,64}$/);
export const rate = fc.integer({ min: 1, max: 8_000_000 });
export const microcredits = fc.maxSafeNat();
export const jti = fc.stringMatching(/^[A-Za-z0-9-]{16,64}$/);

export const provenRequest: fc.Arbitrary<ProvenRequest> = fc.record({
  audience: fc.oneof(
    fc.webUrl({ size: "small" }),
    peerId.map((id) => `troop:${id}`),
  ),
  method: fc.constantFrom("GET", "POST", "PUT", "DELETE"),
  target: fc.string({ maxLength: 200, unit: "binary" }),
  bodyHash: hash,
});

export const ticketClaims: fc.Arbitrary<TicketClaims> = fc
  .record({
    nodes: fc.uniqueArray(fc.tuple(peerId, rate), {
      minLength: 1,
      maxLength: MAX_CANDIDATES,
      selector: ([id]) => id,
    }),
    from: seconds,
    rest: fc.record({
      iss: fc.webUrl({ size: "small" }),
      sub: userId,
      cnf: fc.record({ jkt: peerId }),
      jti: fc.uuid(),
      net: networkId,
      model: modelId,
      budget: microcredits,
    }),
  })
  .map(({ nodes, from, rest }) => ({
    ...rest,
    aud: nodes.map(([id]) => id),
    rates: Object.fromEntries(nodes),
    iat: from,
    nbf: from,
    exp: from + 300,
  }));

/** A place in a token and a bit of it to flip. */
export const bitFlip = fc.record({ at: fc.nat(), bit: fc.integer({ min: 0, max: 7 }) });

export function flipBit(token: string, { at, bit }: { at: number; bit: number }): string {
  const place = at % token.length;
  const flipped = String.fromCharCode(token.charCodeAt(place) ^ (1 << bit));
  return token.slice(0, place) + flipped + token.slice(place + 1);
}

function thirtyTwoBytes(): fc.Arbitrary<string> {
  return fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => base64url.encode(bytes));
}
