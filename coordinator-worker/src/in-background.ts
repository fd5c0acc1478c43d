import type { AppContext } from "./app-env";
import { log } from "./log";

let running = 0;

/** Finishes work after the answer has left; a failure is logged by name, since nobody waits for it. */
export function inBackground(c: AppContext, work: Promise<unknown>): void {
  const requestId = c.get("requestId");
  running += 1;
  const watched = work
    .catch((cause: unknown) =>
      log("background_failed", {
        requestId,
        error: cause instanceof Error ? cause.name : "unknown",
      }),
    )
    .finally(() => {
      running -= 1;
    });
  c.executionCtx.waitUntil(watched);
}

/** Resolves when nothing runs in the background; asked of an isolate that gets no more requests. */
export async function backgroundIsDone(): Promise<void> {
  // The promises belong to other requests, which the runtime lets nobody else wait for.
  const isDone = () => running === 0;
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 10));
}
