import { addressShown, subjectOfAddress } from "./domain/address-subject";
import type { AppContext } from "./app-env";

/**
 * Whose window a request without an identity counts in: the address that it came from, as the edge says it. On Cloudflare
 * no client can set that header; a self-hosted coordinator's front replaces it.
 */
export function senderSubject(c: AppContext): string {
  return subjectOfAddress(c.req.header("cf-connecting-ip") ?? "");
}

/** The network around that address: a /24 of IPv4, a /64 of IPv6. */
export function networkSubject(c: AppContext): string {
  return addressShown(c.req.header("cf-connecting-ip") ?? "", "network") ?? "unknown";
}
