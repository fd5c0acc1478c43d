import { sha256Base64url } from "#protocol/encoding";
import { ADMIN_NAME } from "#protocol/ledger-check";
import type { AppContext } from "./app-env";

const utf8 = new TextEncoder();

/** Whether the request shows the operator's password, by HTTP Basic; it takes the same time for every wrong one. */
export async function isOperator(c: AppContext, password: string): Promise<boolean> {
  const given = c.req.header("authorization") ?? "";
  const expected = `Basic ${btoa(String.fromCharCode(...utf8.encode(`${ADMIN_NAME}:${password}`)))}`;
  // Digests have one length, and say nothing about how much of a guess was right.
  const [a, b] = await Promise.all([sha256Base64url(given), sha256Base64url(expected)]);
  let difference = 0;
  for (let place = 0; place < b.length; place++) {
    difference |= a.charCodeAt(place) ^ b.charCodeAt(place);
  }
  return difference === 0;
}
