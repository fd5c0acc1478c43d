import { remember } from "#protocol/remember";

/** Where a request goes. */
export type Address = {
  readonly url: URL;
  readonly origin: string;
  readonly host: string;
  /** Path and query. */
  readonly target: string;
};

const MOST_KNOWN = 256;
const known = new Map<string, Address>();

/**
 * Requests go to a few addresses over and over, which are taken apart once. One with a query is the app's own, and not
 * remembered. Throws where `text` is no URL.
 */
export function addressOf(text: string): Address {
  const before = known.get(text);
  if (before !== undefined) return before;
  const url = new URL(text);
  const { origin, host } = url;
  const address = { url, origin, host, target: url.pathname + url.search };
  if (url.search !== "") return address;
  remember(known, MOST_KNOWN, text, address);
  return address;
}
