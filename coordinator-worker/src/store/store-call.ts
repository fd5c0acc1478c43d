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

/** Runs one call of a store; failures of the way to it become `StoreUnavailable`. */
export async function storeCall<T>(
  store: "postgres" | "redis",
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (isRefusal(cause)) throw new Error(`${store} refused a statement`, { cause });
    throw new StoreUnavailable(store, cause);
  }
}

/** What Redis says while it loads its data, has no room, or is no primary; in a pipeline behind the place of the command. */
const REDIS_IS_AWAY =
  /(^|failed: )(LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|READONLY|MISCONF|OOM)\b/;

function isRefusal(cause: unknown): boolean {
  // drizzle wraps what the driver throws.
  const root = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  if (root instanceof NeonDbError) {
    // Class 08, 53, 57: connection, resources, shutting down.
    return root.code !== undefined && !/^(08|53|57)/.test(root.code);
  }
  if (root instanceof errors.UpstashJSONParseError) return false; // Whatever stands before Redis answered.
  return root instanceof errors.UpstashError && !REDIS_IS_AWAY.test(root.message);
}
