import fc from "fast-check";
import { expect, it } from "vitest";
import { subjectOfAddress } from "#coordinator/domain/address-subject";

it.each([
  ["203.0.113.9", "203.0.113.9"],
  ["::ffff:203.0.113.9", "203.0.113.9"],
  ["::ffff:cb00:7109", "203.0.113.9"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:0db8:0001:0002::1", "2001:db8:1:2::/64"],
  ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
  ["", "unknown"],
  ["203.0.113.9, 10.0.0.1", "unknown"],
])("counts %s as %s", (address, subject) => {
  expect(subjectOfAddress(address)).toBe(subject);
});

it("counts every address of an IPv6 line as one, and whatever it is given as something short", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (host) => {
      const groups = [48n, 32n, 16n, 0n].map((shift) => ((host >> shift) & 0xffffn).toString(16));
      expect(subjectOfAddress(`2001:db8:1:2:${groups.join(":")}`)).toBe("2001:db8:1:2::/64");
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(subjectOfAddress(text)).toMatch(/^[0-9a-f.:/]{1,50}$|^unknown$/);
    }),
  );
});
