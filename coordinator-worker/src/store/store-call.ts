import { NeonDbError } from "@neondatabase/serverless";
import { errors } from "@upstash/redis/cloudflare";

/** A store that does not answer, as opposed to one that refuses a statement (which is a bug). */
export class StoreUnavailable extends Error {
  override readonly name = "StoreUnavailable";
  readonly store: "postgres" | "redis";

  constructor(store: "postgres" | "redis", cause: unknown) {
    super(`${store} does not answer`, { cause });
    this.store = store;
  }
}

/** How often a statement is begun that the database undid whole in favour of another one. */
const MOST_ATTEMPTS = 3;

/**
 * Runs one call of a store; failures of the way to it become `StoreUnavailable`. A transaction that the
 * database undid, because two waited for each other, is begun again: nothing of it happened.
 */
export async function storeCall<T>(
  store: "postgres" | "redis",
  call: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (cause) {
      if (wasUndone(cause) && attempt < MOST_ATTEMPTS) continue;
      if (isRefusal(cause)) throw new Error(`${store} refused a statement`, { cause });
      throw new StoreUnavailable(store, cause);
    }
  }
}

/** What Redis says while it loads its data, has no room, or is no primary; in a pipeline behind the place of the command. */
const REDIS_IS_AWAY =
  /(^|failed: )(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|READONLY|MISCONF|OOM)\b/;

// drizzle wraps what the driver throws.
const rootOf = (cause: unknown): unknown =>
  cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;

/** Class 40: deadlocks and transactions that can't be put in an order; but not 40003, of which nobody knows the end. */
function wasUndone(cause: unknown): boolean {
  const root = rootOf(cause);
  return root instanceof NeonDbError && (root.code === "40P01" || root.code === "40001");
}

function isRefusal(cause: unknown): boolean {
  const root = rootOf(cause);
  if (root instanceof NeonDbError) {
    // Class 08, 53, 57: connection, resources, shutting down.
    return root.code !== undefined && !/^(08|53|57)/.test(root.code);
  }
  if (root instanceof errors.UpstashJSONParseError) return false; // Whatever stands before Redis answered.
  return root instanceof errors.UpstashError && !REDIS_IS_AWAY.test(root.message);
}
