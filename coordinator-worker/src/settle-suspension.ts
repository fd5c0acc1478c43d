import type { Deps } from "./deps";
import { readSuspension } from "./store/admin";
import { liftSuspension, markSuspended } from "./store/suspensions";

/**
 * Makes Redis say of a node what the database says: whether it may serve, or why not. It looks again when it is done:
 * somebody may have decided otherwise meanwhile, and have been overtaken by what was read before.
 */
export async function settleSuspension(
  { db, redis }: Pick<Deps, "db" | "redis">,
  nodeId: string,
): Promise<void> {
  let reason = await readSuspension(db, nodeId);
  for (;;) {
    if (reason === undefined) await liftSuspension(redis, nodeId);
    else await markSuspended(redis, [{ id: nodeId, reason }]);
    const settled = reason;
    reason = await readSuspension(db, nodeId);
    if (reason === settled) return;
  }
}
