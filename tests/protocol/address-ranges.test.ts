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
  ["http://169.254.1.1:8080", ["169.254.0.0/16"]],
  ["http://[::1]:8080", ["::1/128"]],
  ["http://8.8.8.8:8080", ["0.0.0.0/0"]],
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
  // Wide ranges mean machines, not what lies inside of them by accident.
  ["http://127.0.0.1:8080", ["0.0.0.0/0"]],
  ["http://[::1]:8080", ["::/0"]],
  ["http://[::ffff:127.0.0.1]:8080", ["0.0.0.0/0", "::/0"]],
  ["http://169.254.1.1:8080", ["0.0.0.0/0"]],
  ["http://[fe80::1]:8080", ["::/0"]],
  ["http://0.0.0.0:8080", ["0.0.0.0/0"]],
  ["http://[::]:8080", ["::/0"]],
  ["http://255.255.255.255:8080", ["0.0.0.0/0"]],
  ["http://224.0.0.1:8080", ["0.0.0.0/0"]],
  ["http://240.0.0.1:8080", ["0.0.0.0/0"]],
  ["http://[ff02::1]:8080", ["::/0"]],
  // Forms that carry another address inside.
  ["http://[64:ff9b::a9fe:a9fe]:8080", ["::/0"]],
  ["http://[2002:7f00:1::]:8080", ["::/0"]],
  ["http://[2001:0:1::1]:8080", ["::/0"]],
  ["http://[::ffff:0:127.0.0.1]:8080", ["::/0"]],
  // Other spellings of one address, as URLs read them.
  ["http://2130706433:8080", ["0.0.0.0/0"]],
  ["http://0x7f.1:8080", ["0.0.0.0/0"]],
  ["http://0251.0376.0251.0376", ["0.0.0.0/0"]],
  // Metadata services, even where somebody allows their range by name.
  ["http://169.254.169.254", ["169.254.0.0/16"]],
  ["http://[::ffff:169.254.169.254]", ["169.254.0.0/16", "::/0"]],
  ["http://169.254.170.2", ["169.254.0.0/16"]],
  ["http://[fd00:ec2::254]", PRIVATE],
  ["http://100.100.100.200", TAILSCALE_RANGES],
  ["http://100.100.100.100", TAILSCALE_RANGES],
  ["http://168.63.129.16", ["0.0.0.0/0"]],
])("does not allow %j within %j", (url, ranges) => expect(isAllowedUrl(url, ranges)).toBe(false));

it("an IPv4 address lies in a range of its first bits, and outside one that differs in them", () => {
  // 1.0.0.0 to 99.255.255.255: machines, all of them.
  const address = fc.integer({ min: 0x0100_0000, max: 0x63ff_ffff });
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
