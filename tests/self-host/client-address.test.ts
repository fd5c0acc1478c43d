import { expect, it } from "vitest";
import { clientAddress } from "#self-host/client-address";

const ours = { ranges: ["127.0.0.1/32", "10.0.0.0/8"], header: "x-forwarded-for" };

it.each([
  ["no proxy is trusted", "198.51.100.7", "203.0.113.1", undefined, "198.51.100.7"],
  [
    "no proxy is trusted, not even one of this machine",
    "127.0.0.1",
    "1.2.3.4",
    undefined,
    "127.0.0.1",
  ],
  ["a stranger connects and names another", "198.51.100.7", "203.0.113.1", ours, "198.51.100.7"],
  ["a proxy names the client", "127.0.0.1", "203.0.113.1", ours, "203.0.113.1"],
  [
    "the client lied to the proxy",
    "127.0.0.1",
    "10.9.9.9, 6.6.6.6, 203.0.113.1",
    ours,
    "203.0.113.1",
  ],
  [
    "two proxies stand in a row",
    "127.0.0.1",
    "6.6.6.6, 203.0.113.1, 10.1.2.3",
    ours,
    "203.0.113.1",
  ],
  ["the connection is IPv4 inside IPv6", "::ffff:127.0.0.1", "203.0.113.1", ours, "203.0.113.1"],
  ["a proxy says nothing", "127.0.0.1", undefined, ours, "127.0.0.1"],
  ["a proxy says what is no address", "127.0.0.1", "203.0.113.1, unknown", ours, "127.0.0.1"],
] as const)("where %s", (_what, connected, forwarded, proxies, expected) => {
  const headers = new Headers({
    "x-real-ip": "7.7.7.7",
    ...(forwarded !== undefined && { "x-forwarded-for": forwarded }),
  });
  expect(clientAddress(connected, headers, proxies)).toBe(expected);
});
