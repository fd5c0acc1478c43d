import ipaddr from "ipaddr.js";

/** CIDR ranges that clients dial unless the operator says otherwise: Tailscale's. */
export const TAILSCALE_RANGES: readonly string[] = ["100.64.0.0/10", "fd7a:115c:a1e0::/48"];

/** True for `address/bits` in either family. Not for `10/8`: the library takes that for 0.0.0.10/8. */
export function isRange(range: string): boolean {
  return ipaddr.IPv4.isValidCIDRFourPartDecimal(range) || ipaddr.IPv6.isValidCIDR(range);
}

/**
 * Whether `url` names an IP literal inside one of `ranges` (CIDR). A host name never does: what it resolves to
 * can change between the check and the dial. IPv4 inside IPv6 counts as the IPv4 address that it reaches.
 */
export function isAllowedUrl(url: string, ranges: readonly string[]): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  if (!ipaddr.IPv4.isValidFourPartDecimal(host) && !ipaddr.IPv6.isValid(host)) return false;
  const address = ipaddr.process(host);
  const kind = address.range();
  if (NO_MACHINE.has(kind) || SERVICES.has(address.toString())) return false;
  return ranges.some((range) => {
    if (!isRange(range)) return false;
    const [network, bits] = ipaddr.parseCIDR(range);
    if (network.kind() !== address.kind() || !address.match([network, bits])) return false;
    return !BY_NAME_ONLY.has(kind) || network.range() === kind;
  });
}

/** Kinds of addresses that are no machine's own, or that carry another address inside. Whatever range they lie in. */
const NO_MACHINE: ReadonlySet<string> = new Set([
  "unspecified",
  "broadcast",
  "multicast",
  "reserved",
  "discard",
  "6to4",
  "teredo",
  // IPv4 inside IPv6, to which a translator on the way would dial (NAT64 and its kin).
  "rfc6052",
  "rfc6145",
]);

/** Kinds that reach this machine or its link; a range that is only wide enough to hold them does not mean them. */
const BY_NAME_ONLY: ReadonlySet<string> = new Set(["loopback", "linkLocal"]);

/**
 * Services of clouds and overlays that answer at a fixed address, some with credentials: AWS and others, AWS on IPv6, Azure,
 * Oracle, Alibaba (inside of Tailscale's range), Tailscale's own. No node is ever there.
 */
const SERVICES: ReadonlySet<string> = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "fd00:ec2::254",
  "168.63.129.16",
  "192.0.0.192",
  "100.100.100.200",
  "100.100.100.100",
  "fd7a:115c:a1e0::53",
]);
