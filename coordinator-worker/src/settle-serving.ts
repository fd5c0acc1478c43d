import type { Deps } from "./deps";
import { mayServe } from "./domain/network-rights";
import { type LenderRow, readLenders } from "./store/members";
import { allowServing, banServing } from "./store/serve-bans";

/**
 * Makes who may serve in a network what the database says, of these users or of all members. It looks again when it is
 * done: somebody may have changed it meanwhile, and have been overtaken by what was read before.
 */
export async function settleServing(
  { db, redis }: Pick<Deps, "db" | "redis">,
  network: string,
  userIds: readonly string[] | "members",
): Promise<void> {
  let lenders = await readLenders(db, network, userIds);
  for (;;) {
    const allowed = lenders.filter(isAllowed);
    const banned = lenders.filter((lender) => !isAllowed(lender));
    await Promise.all([allowServing(redis, network, allowed), banServing(redis, network, banned)]);
    const settled = rightsOf(lenders);
    const users = lenders.map(({ userId }) => userId);
    lenders = await readLenders(db, network, users);
    if (rightsOf(lenders) === settled) return;
  }
}

function isAllowed({ role, policy }: LenderRow): boolean {
  return role !== null && policy !== null && mayServe(role, policy);
}

function rightsOf(lenders: readonly LenderRow[]): string {
  return lenders.map((lender) => `${lender.userId} ${isAllowed(lender)}`).join("\n");
}
