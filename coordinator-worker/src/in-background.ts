import type { AppContext } from "./app-env";
import { log } from "./log";

/** Finishes work after the answer has left; a failure is logged by name, since nobody waits for it. */
export function inBackground(c: AppContext, work: Promise<unknown>): void {
  const requestId = c.get("requestId");
  const watched = work.catch((cause: unknown) =>
    log("background_failed", {
      requestId,
      error: cause instanceof Error ? cause.name : "unknown",
    }),
  );
  c.executionCtx.waitUntil(watched);
}
