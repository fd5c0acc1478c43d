import { BlockList } from "node:net";
import type { NetworkInterfaces, Platform } from "./platform";

const TAILSCALE_V6 = new BlockList();
TAILSCALE_V6.addSubnet("fd7a:115c:a1e0::", 48, "ipv6");
const SHARED_V4 = new BlockList();
SHARED_V4.addSubnet("100.64.0.0", 10, "ipv4");

/**
 * This machine's Tailscale address (IPv4 where there is one), from `os.networkInterfaces()`.
 * 100.64.0.0/10 alone proves nothing, mobile carriers hand it out too: the interface must have
 * Tailscale's name, or an address in the IPv6 range that only Tailscale uses.
 */
export function tailscaleAddress(
  interfaces: NetworkInterfaces,
  platform: Pick<Platform, "isTailscaleInterface">,
): string | undefined {
  for (const [name, infos = []] of Object.entries(interfaces)) {
    const v4 = infos.find((info) => info.family === "IPv4" && SHARED_V4.check(info.address));
    const v6 = infos.find(
      (info) => info.family === "IPv6" && TAILSCALE_V6.check(info.address, "ipv6"),
    );
    if (v6 !== undefined) return v4?.address ?? v6.address;
    if (v4 !== undefined && platform.isTailscaleInterface(name)) return v4.address;
  }
  return undefined;
}
