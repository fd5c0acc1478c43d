import type { AuditDetails, AuditType } from "#protocol/audit";
import type { NeonHttpDatabase } from "drizzle-orm/neon-http";
import type { AppContext } from "./app-env";
import { addressShown } from "./domain/address-subject";
import { inBackground } from "./in-background";
import { log } from "./log";
import { insertEvents, type NewEvent } from "./store/audit-events";

export type Audited = {
  readonly type: AuditType;
  readonly userId?: string | undefined;
  readonly peerId?: string | undefined;
  readonly details?: AuditDetails;
};

/** Events that this isolate has not written yet. */
let waiting: NewEvent[] = [];
let writesAtMs = 0;

/** Events that come together are written together. */
const TOGETHER_MS = 250;
/** A writer that was promised and has not come by then was ended with its request. */
const OVERDUE_MS = 5_000;
const BATCH = 500;
/** While the database is away, the oldest go; they are counted in the log. */
const MOST_WAITING = 20_000;

/** Notes what happened. It is written after the answer; nothing waits for it, and nothing fails by it. */
export function audit(c: AppContext, { type, userId, peerId, details = {} }: Audited): void {
  const { config, db, nowMs } = c.get("deps");
  const address = addressShown(c.req.header("cf-connecting-ip") ?? "", config.auditAddresses);
  waiting.push({
    at: nowMs(),
    type,
    user_id: userId ?? null,
    peer_id: peerId ?? null,
    details: {
      ...details,
      request_id: c.get("requestId"),
      ...(address !== undefined && { address }),
    },
  });
  if (nowMs() < writesAtMs + OVERDUE_MS) return;
  writesAtMs = nowMs() + TOGETHER_MS;
  inBackground(c, writeSoon(db));
}

async function writeSoon(db: NeonHttpDatabase): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, TOGETHER_MS));
  writesAtMs = 0;
  await writeAudit(db);
}

/** Writes all that waits; what cannot be written now waits for the next time. */
export async function writeAudit(db: NeonHttpDatabase): Promise<void> {
  while (waiting.length > 0) {
    const batch = waiting.splice(0, BATCH);
    try {
      await insertEvents(db, batch);
    } catch (cause) {
      waiting = [...batch, ...waiting];
      const over = waiting.length - MOST_WAITING;
      if (over > 0) {
        waiting.splice(0, over);
        log("audit_events_lost", { events: over });
      }
      throw cause;
    }
  }
}
