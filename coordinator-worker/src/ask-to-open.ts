import { type CommitAnswer, OPEN_WITHIN_MS } from "#protocol/hardware";
import type { Deps } from "./deps";
import type { Committed } from "./domain/hardware-run";
import { keepCommitted } from "./store/hardware-runs";

/** What a node is told to open of what it bound; nothing of it is told before it is kept. */
export async function askToOpen(
  { nowMs, redis }: Pick<Deps, "nowMs" | "redis">,
  nodeId: string,
  bound: Committed,
): Promise<CommitAnswer> {
  const committed = { ...bound, asked_ms: nowMs() };
  await keepCommitted(redis, nodeId, committed, committed.asked_ms + OPEN_WITHIN_MS);
  return { open: committed.open, within_ms: OPEN_WITHIN_MS };
}
