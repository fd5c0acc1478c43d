import { createRoute } from "@hono/zod-openapi";
import { AUDIT_PATH, type AuditEvent, AuditPage, AuditType } from "#protocol/audit";
import { PeerId } from "#protocol/identity";
import { UserId } from "#protocol/names";
import { z } from "zod";
import { pageOf, RowCursor } from "../admin-page";
import type { App } from "../app-env";
import { problemResponses } from "../problem";
import { type EventRow, readEvents } from "../store/audit-events";

const route = createRoute({
  operationId: "listAuditEvents",
  method: "get",
  path: AUDIT_PATH,
  description: "For operators: HTTP Basic, user `admin`, with the setting ADMIN_PASSWORD.",
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(1_000).default(100),
      cursor: RowCursor,
      event_type: AuditType.optional(),
      user_id: UserId.optional(),
      peer_id: PeerId.optional(),
      since: z.iso.datetime().optional(),
    }),
  },
  responses: {
    200: {
      description: "What happened, newest first",
      content: { "application/json": { schema: AuditPage } },
    },
    ...problemResponses("request_invalid", "credentials_invalid", "not_found", "rate_limited"),
  },
});

export function auditList(app: App): void {
  app.openapi(route, async (c) => {
    const { limit, cursor, event_type, user_id, peer_id, since } = c.req.valid("query");
    const rows = await readEvents(c.get("deps").db, {
      type: event_type,
      userId: user_id,
      peerId: peer_id,
      sinceMs: since === undefined ? undefined : Date.parse(since),
      beforeId: cursor,
      limit: limit + 1,
    });
    const { shown, next } = pageOf(rows, limit, (row) => row.id);
    return c.json({ events: shown.map(toEvent), ...next }, 200);
  });
}

function toEvent({ id, at_ms, type, user_id, peer_id, details }: EventRow): AuditEvent {
  return {
    id,
    at: new Date(at_ms).toISOString(),
    type,
    ...(user_id !== null && { user_id }),
    ...(peer_id !== null && { peer_id }),
    details,
  };
}
