import { createRoute } from "@hono/zod-openapi";
import { AdminUserPage } from "#protocol/admin";
import { formatCredits } from "#protocol/microcredits";
import { UserId } from "#protocol/names";
import { z } from "zod";
import { PageLimit, pageOf } from "../admin-page";
import type { App } from "../app-env";
import { problemResponses } from "../problem";
import { listUsers } from "../store/admin";

const route = createRoute({
  operationId: "listAdminUsers",
  method: "get",
  path: "/admin/users",
  description: "For operators: HTTP Basic, user `admin`, with the setting ADMIN_PASSWORD.",
  request: { query: z.object({ limit: PageLimit, cursor: UserId.optional() }) },
  responses: {
    200: {
      description: "Users and their balances, by id",
      content: { "application/json": { schema: AdminUserPage } },
    },
    ...problemResponses("request_invalid", "credentials_invalid", "not_found", "rate_limited"),
  },
});

export function adminUsersList(app: App): void {
  app.openapi(route, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await listUsers(c.get("deps").db, cursor, limit + 1);
    const { shown, next } = pageOf(rows, limit, (row) => row.user_id);
    const users = shown.map((row) => ({
      user_id: row.user_id,
      created_at: new Date(row.created_at_ms).toISOString(),
      peers: row.peers,
      available: formatCredits(row.available),
      held: formatCredits(row.held),
      in_escrow: formatCredits(row.in_escrow),
    }));
    return c.json({ users, ...next }, 200);
  });
}
