import type { AppContext } from "./app-env";
import { TIERS } from "./domain/rate-tiers";
import { inBackground } from "./in-background";
import { hitWindow } from "./limit-rate";
import { meetPeer } from "./met-peers";
import { remember } from "#protocol/remember";

/**
 * By peer: its user, as this isolate last learned it. Picks the window to count in, nothing else: were it wrong, a request
 * would count in another window of the same person.
 */
const users = new Map<string, string>();
const MOST_KEPT = 10_000;

/**
 * Counts an authorization for the user, too, so that having many peers does not help. Who the user is comes with the
 * hold; a peer's first authorization in this isolate is counted then, the others while the hold is made.
 */
export function hitUserWindow(c: AppContext, peerId: string) {
  const userId = users.get(peerId);
  return userId === undefined ? undefined : hitWindow(c, TIERS.authorizeUser, userId);
}

export function learnUser(c: AppContext, peerId: string, userId: string): void {
  meetPeer(peerId);
  const known = users.get(peerId);
  if (known === userId) return;
  remember(users, MOST_KEPT, peerId, userId);
  if (known === undefined) inBackground(c, hitWindow(c, TIERS.authorizeUser, userId));
}
