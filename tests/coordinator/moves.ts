import { Transactions } from "#protocol/statement";
import type { TestPeer } from "#support/test-peer";

/** The types of a user's transactions, the newest first. */
export async function movesOf(peer: TestPeer, user: string): Promise<string[]> {
  const page = await peer.call(`/users/${user}/transactions`);
  return Transactions.parse(await page.json()).transactions.map(({ type }) => type);
}
