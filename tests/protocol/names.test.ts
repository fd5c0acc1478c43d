import * as fc from "fast-check";
import { expect, it } from "vitest";
import {
  NetworkId,
  networkIdFrom,
  NetworkName,
  PUBLIC_NETWORK,
  UserId,
  userIdFrom,
} from "#protocol/names";

const random = fc.uint8Array({ minLength: 16, maxLength: 16 });
const CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz";

/** The bytes that a user id stands for. */
function bytesOf(id: string): number[] {
  let bits = 0n;
  for (const character of id.slice("usr_".length)) {
    bits = bits * 32n + BigInt(CROCKFORD.indexOf(character));
  }
  return Array.from({ length: 16 }, (_, at) => Number((bits >> BigInt(8 * (15 - at))) & 255n));
}

it("a user id holds all sixteen bytes it was made from, so no two are made alike", () => {
  fc.assert(
    fc.property(random, (bytes) => {
      expect(bytesOf(userIdFrom(bytes))).toEqual([...bytes]);
    }),
  );
});

it("a user id made from any bytes is a user id", () => {
  fc.assert(
    fc.property(random, (bytes) => {
      const id = userIdFrom(bytes);
      expect(UserId.parse(id)).toBe(id);
      expect(id).not.toMatch(/^usr_.*[ilou]/); // letters that people confuse
    }),
  );
});

it("user ids sort as the bytes they were made from", () => {
  fc.assert(
    fc.property(random, random, (a, b) => {
      expect(Math.sign(Buffer.compare(a, b))).toBe(
        userIdFrom(a) < userIdFrom(b) ? -1 : Number(userIdFrom(a) > userIdFrom(b)),
      );
    }),
  );
});

it.each([
  "",
  "usr_",
  `usr_${"0".repeat(25)}`,
  `usr_${"0".repeat(27)}`,
  `usr_${"A".repeat(26)}`,
  `USR_${"0".repeat(26)}`,
  `usr_${"0".repeat(25)}-`,
  `usr_${"0".repeat(26)}\n`,
  ` usr_${"0".repeat(26)}`,
  7,
  null,
])("refuses %j as a user id", (id) => expect(UserId.safeParse(id).success).toBe(false));

it.each([PUBLIC_NETWORK, "a", "7", "lab-7", "a".repeat(63)])("takes %s as a network id", (id) => {
  expect(NetworkId.parse(id)).toBe(id);
});

it.each([
  "",
  "-a",
  "Lab",
  "a_b",
  "a b",
  "a/b",
  "a.b",
  "ä",
  "a\n",
  "a\u0000",
  "a".repeat(64),
  7,
  null,
])("refuses %j as a network id", (id) => expect(NetworkId.safeParse(id).success).toBe(false));

it("a network id made from any bytes is a network id, and never a name", () => {
  fc.assert(
    fc.property(random, (bytes) => {
      const id = networkIdFrom(bytes);
      expect(NetworkId.parse(id)).toBe(id);
      expect(NetworkName.safeParse(id).success).toBe(false);
    }),
  );
});

it.each(["a", "7", "lab-7", "a".repeat(32), "publicly", "net"])("takes %s as a name", (name) => {
  expect(NetworkName.parse(name)).toBe(name);
});

it.each(["", "-a", "public", "net-", "net-a", "Lab", "a/b", "a b", "a".repeat(33), "ä", 7, null])(
  "refuses %j as a name",
  (name) => expect(NetworkName.safeParse(name).success).toBe(false),
);
