import ipaddr from "ipaddr.js";

/** Proxies of the operator's own, and the header in which they say from where a request came to them. */
export type TrustedProxies = {
  /** CIDR ranges of their addresses. */
  readonly ranges: readonly string[];
  /** Such as `x-forwarded-for`: a list to which each proxy adds whom it saw. */
  readonly header: string;
};

/**
 * Where a request came from: the other end of its connection, unless that is a proxy that the operator named. Then the
 * last address in its header that is no such proxy: what stands further left the client may have written itself.
 */
export function clientAddress(
  connectedFrom: string,
  headers: Headers,
  proxies: TrustedProxies | undefined,
): string {
  if (proxies === undefined) return connectedFrom;
  const said = (headers.get(proxies.header) ?? "").split(",").map((part) => part.trim());
  let client = connectedFrom;
  for (const address of said.toReversed()) {
    if (!isWithin(client, proxies.ranges) || !ipaddr.isValid(address)) break;
    client = address;
  }
  return client;
}

function isWithin(text: string, ranges: readonly string[]): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  return ranges.some((range) => {
    const [network, bits] = ipaddr.parseCIDR(range);
    return network.kind() === address.kind() && address.match([network, bits]);
  });
}
