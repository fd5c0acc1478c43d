import type { NetworkInterfaceInfo } from "node:os";
import { expect, it } from "vitest";
import { darwin } from "#peer/platform/darwin";
import { linux } from "#peer/platform/linux";
import { tailscaleAddress } from "#peer/platform/tailscale-address";
import { windows } from "#peer/platform/windows";

function v4(address: string): NetworkInterfaceInfo {
  return { address, family: "IPv4", netmask: "", mac: "", internal: false, cidr: null };
}
function v6(address: string): NetworkInterfaceInfo {
  return { address, family: "IPv6", netmask: "", mac: "", internal: false, cidr: null, scopeid: 0 };
}

const LAN = { lo: [v4("127.0.0.1"), v6("::1")], eth0: [v4("192.168.1.4"), v6("fe80::1")] };

it("finds nothing on a machine without Tailscale", () => {
  expect(tailscaleAddress(LAN, linux)).toBeUndefined();
  expect(tailscaleAddress({}, linux)).toBeUndefined();
  expect(tailscaleAddress({ gone: undefined }, linux)).toBeUndefined();
});

it("prefers the IPv4 address of Tailscale's interface", () => {
  const tailscale0 = [v6("fe80::2"), v6("fd7a:115c:a1e0::7"), v4("100.101.102.103")];
  expect(tailscaleAddress({ ...LAN, tailscale0 }, linux)).toBe("100.101.102.103");
});

it("takes the IPv6 address where the network has no IPv4", () => {
  expect(tailscaleAddress({ ...LAN, tailscale0: [v6("fd7a:115c:a1e0:ab12::7")] }, linux)).toBe(
    "fd7a:115c:a1e0:ab12::7",
  );
});

it("knows an interface of any name by Tailscale's IPv6 range", () => {
  const ts = [v4("100.64.0.1"), v6("fd7a:115c:a1e0::1")];
  expect(tailscaleAddress({ ts }, linux)).toBe("100.64.0.1");
});

it("does not take a mobile carrier's shared address for Tailscale's", () => {
  expect(tailscaleAddress({ wwan0: [v4("100.72.3.4")] }, linux)).toBeUndefined();
  expect(tailscaleAddress({ Cellular: [v4("100.72.3.4")] }, windows)).toBeUndefined();
});

it.each(["100.63.255.255", "100.128.0.0"])("holds %s to be outside the range", (address) => {
  expect(tailscaleAddress({ tailscale0: [v4(address)] }, linux)).toBeUndefined();
});

it.each([
  ["macOS", darwin, "utun4"],
  ["Windows", windows, "Tailscale"],
  ["Linux", linux, "tailscale0"],
])("knows the interface's name on %s", (_name, platform, name) => {
  expect(tailscaleAddress({ [name]: [v4("100.127.255.254")] }, platform)).toBe("100.127.255.254");
});
