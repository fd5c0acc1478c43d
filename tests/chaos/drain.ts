import { readOutbox } from "#peer/outbox/outbox-summary";
import type { KillableNetwork } from "./killable-network";

const DRAINED_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 100;

/** Resolves when worker and client have told the coordinator everything. Throws where that takes too long, or where something was refused. */
export async function drain({ homes }: KillableNetwork): Promise<void> {
  const owners = ["worker", "client"] as const;
  const untilMs = performance.now() + DRAINED_WITHIN_MS;
  for (;;) {
    const left = owners.map((owner) => ({ owner, outbox: readOutbox(homes[owner], owner) }));
    const isEmpty = left.every(
      ({ outbox }) =>
        outbox === "absent" ||
        (outbox !== "unreadable" && outbox.waiting + outbox.unfinished === 0),
    );
    if (isEmpty) {
      const refused = left.flatMap(({ outbox }) =>
        typeof outbox === "object" ? outbox.refused : [],
      );
      if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`);
      return;
    }
    if (performance.now() > untilMs) throw new Error(`not drained: ${JSON.stringify(left)}`);
    await Bun.sleep(LOOK_EVERY_MS);
  }
}
