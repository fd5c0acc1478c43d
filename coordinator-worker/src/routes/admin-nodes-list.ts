import { createRoute } from "@hono/zod-openapi";
import { AdminNodePage } from "#protocol/admin";
import { PeerId } from "#protocol/identity";
import { UserId } from "#protocol/names";
import { z } from "zod";
import { PageLimit, pageOf } from "../admin-page";
import type { App } from "../app-env";
import { problemResponses } from "../problem";
import { listPeers } from "../store/admin";
import { readAnnounced } from "../store/live-nodes";

const route = createRoute({
  operationId: "listAdminNodes",
  method: "get",
  path: "/admin/nodes",
  description: "For operators: HTTP Basic, user `admin`, with the setting ADMIN_PASSWORD.",
  request: {
    query: z.object({
      limit: PageLimit,
      cursor: PeerId.optional(),
      user_id: UserId.optional(),
      suspended: z.stringbool().optional(),
    }),
  },
  responses: {
    200: {
      description: "Peers, by id, those that serve no more among them",
      content: { "application/json": { schema: AdminNodePage } },
    },
    ...problemResponses("request_invalid", "credentials_invalid", "not_found", "rate_limited"),
  },
});

export function adminNodesList(app: App): void {
  app.openapi(route, async (c) => {
    const { limit, cursor, suspended, user_id } = c.req.valid("query");
    const { db, redis } = c.get("deps");
    const rows = await listPeers(db, {
      after: cursor,
      userId: user_id,
      isSuspended: suspended,
      limit: limit + 1,
    });
    const { shown, next } = pageOf(rows, limit, (row) => row.id);
    const offered = await readAnnounced(
      redis,
      shown.map((row) => row.id),
    );
    const nodes = shown.map((row) => ({
      node_id: row.id,
      user_id: row.user_id,
      created_at: new Date(row.created_at_ms).toISOString(),
      live: offered.has(row.id),
      ...(row.suspended_at_ms !== null && {
        suspended: {
          since: new Date(row.suspended_at_ms).toISOString(),
          reason: row.suspended_reason ?? "",
        },
      }),
    }));
    return c.json({ nodes, ...next }, 200);
  });
}
