import { readOutbox } from "#peer/outbox/outbox-summary";
import type { OutboxOwner } from "#peer/outbox/outbox-file";

const DRAINED_WITHIN_MS = 120_000;
const LOOK_EVERY_MS = 100;

export type OutboxHome = { readonly owner: OutboxOwner; readonly home: string };

/** Resolves when all have told the coordinator everything. Throws where that takes too long, or where something was refused. */
export async function drain(homes: readonly OutboxHome[]): Promise<void> {
  const untilMs = performance.now() + DRAINED_WITHIN_MS;
  for (;;) {
    const left = homes.map(({ owner, home }) => ({ owner, outbox: readOutbox(home, owner) }));
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
