import * as fc from "fast-check";
import { expect, it } from "vitest";
import { isAllowedUrl, isRange, TAILSCALE_RANGES } from "#protocol/address-ranges";

const PRIVATE = ["10.0.0.0/8", "fd00::/8"];

it.each([
  "10.0.0.0/8",
  "0.0.0.0/0",
  "100.64.0.0/10",
  "fd7a:115c:a1e0::/48",
  "::/0",
  "127.0.0.1/32",
])("takes %s as a range", (range) => expect(isRange(range)).toBe(true));

it.each([
  "",
  "10.0.0.0",
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/a",
  "fd00::/129",
  "lan/8",
  "/8",
  "10/8",
  "10.0/8",
  "0x0a000000/8",
  "010.0.0.0/8",
  "10.0.0.0/8 ",
])("refuses %j as a range", (range) => expect(isRange(range)).toBe(false));

it.each([
  ["http://10.0.0.0:80", PRIVATE],
  ["http://10.255.255.255:8080", PRIVATE],
  ["http://[fd00::1]:8080", PRIVATE],
  ["http://[::ffff:10.1.2.3]:8080", PRIVATE],
  ["http://100.64.0.1:8080", TAILSCALE_RANGES],
  ["http://100.127.255.254:8080", TAILSCALE_RANGES],
  ["http://[fd7a:115c:a1e0::7]:8080", TAILSCALE_RANGES],
  ["http://127.0.0.1:8080", ["broken", "127.0.0.1/32"]],
])("allows %s within %j", (url, ranges) => expect(isAllowedUrl(url, ranges)).toBe(true));

it.each([
  ["", PRIVATE],
  ["10.0.0.1:8080", PRIVATE],
  ["http://9.255.255.255:8080", PRIVATE],
  ["http://11.0.0.0:8080", PRIVATE],
  ["http://[fe00::1]:8080", PRIVATE],
  ["http://[::ffff:127.0.0.1]:8080", PRIVATE],
  ["http://localhost:8080", ["0.0.0.0/0", "::/0"]],
  ["http://10.0.0.1.example:8080", PRIVATE],
  ["http://127.0.0.1:8080", TAILSCALE_RANGES],
  ["http://169.254.169.254", TAILSCALE_RANGES],
  ["http://100.63.255.255:8080", TAILSCALE_RANGES],
  ["http://100.128.0.0:8080", TAILSCALE_RANGES],
  ["http://10.0.0.1:8080", []],
  ["http://10.0.0.1:8080", ["broken"]],
])("does not allow %j within %j", (url, ranges) => expect(isAllowedUrl(url, ranges)).toBe(false));

it("an IPv4 address lies in a range of its first bits, and outside one that differs in them", () => {
  const address = fc.nat({ max: 0xffff_ffff });
  fc.assert(
    fc.property(address, address, fc.integer({ min: 1, max: 32 }), (a, b, bits) => {
      const shift = 2 ** (32 - bits);
      const same = Math.floor(a / shift) === Math.floor(b / shift);
      expect(isAllowedUrl(`http://${dotted(a)}:8080`, [`${dotted(b)}/${bits}`])).toBe(same);
    }),
    { numRuns: 300 },
  );
});

it("any text for an address or a range is judged, and never throws", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(isAllowedUrl(text, PRIVATE)).toBe(false);
      expect(isAllowedUrl("http://10.0.0.1:8080", [text])).toBeTypeOf("boolean");
      expect(isRange(text)).toBeTypeOf("boolean");
    }),
  );
});

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
