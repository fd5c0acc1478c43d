import ipaddr from "ipaddr.js";

/** How much of an address operators let the audit show. */
export type AddressShown = "none" | "network" | "full";

/** Bits of an IPv6 address that one line gets; whoever has one has all the addresses below. */
const IPV6_LINE_BITS = 64;

/**
 * Whom an address stands for where requests are counted: an IPv4 address, also inside an IPv6 one, or the /64 of an IPv6
 * address. What is no address is one subject together.
 */
export function subjectOfAddress(text: string): string {
  if (!ipaddr.isValid(text)) return "unknown";
  const address = ipaddr.process(text);
  if (address instanceof ipaddr.IPv4) return address.toString();
  const line = address.toByteArray().fill(0, IPV6_LINE_BITS / 8);
  return `${ipaddr.fromByteArray(line).toString()}/${IPV6_LINE_BITS}`;
}

/** Bits of an IPv4 address that its network has, as a rule. */
const IPV4_NETWORK_BITS = 24;

/** What the audit may keep of an address; `network` is the /24 of IPv4 and the /64 of IPv6. */
export function addressShown(text: string, shown: AddressShown): string | undefined {
  if (shown === "none" || !ipaddr.isValid(text)) return undefined;
  const address = ipaddr.process(text);
  if (shown === "full") return address.toString();
  if (!(address instanceof ipaddr.IPv4)) return subjectOfAddress(text);
  const network = address.toByteArray().fill(0, IPV4_NETWORK_BITS / 8);
  return `${ipaddr.fromByteArray(network).toString()}/${IPV4_NETWORK_BITS}`;
}
