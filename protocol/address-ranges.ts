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
  return ranges.some((range) => {
    if (!isRange(range)) return false;
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === address.kind() && address.match([network, bits]);
  });
}
