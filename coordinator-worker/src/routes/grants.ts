import { createRoute } from "@hono/zod-openapi";
import { GrantAnswer, GrantPage, GrantRequest } from "#protocol/admin";
import { formatCredits } from "#protocol/microcredits";
import { z } from "zod";
import { PageLimit, pageOf, RowCursor } from "../admin-page";
import type { App } from "../app-env";
import { audit } from "../audit";
import { problem, problemResponses } from "../problem";
import { grantCredits, listGrants } from "../store/admin";

const description = "For operators: HTTP Basic, user `admin`, with the setting ADMIN_PASSWORD.";

const createGrantRoute = createRoute({
  operationId: "createGrant",
  method: "post",
  path: "/admin/grants",
  description,
  request: { body: { required: true, content: { "application/json": { schema: GrantRequest } } } },
  responses: {
    200: {
      description: "Granted, now or before",
      content: { "application/json": { schema: GrantAnswer } },
    },
    ...problemResponses("request_invalid", "credentials_invalid", "not_found", "rate_limited"),
  },
});

const listGrantsRoute = createRoute({
  operationId: "listGrants",
  method: "get",
  path: "/admin/grants",
  description,
  request: { query: z.object({ limit: PageLimit, cursor: RowCursor }) },
  responses: {
    200: {
      description: "Credits that operators gave, newest first",
      content: { "application/json": { schema: GrantPage } },
    },
    ...problemResponses("request_invalid", "credentials_invalid", "not_found", "rate_limited"),
  },
});

export function grants(app: App): void {
  app.openapi(createGrantRoute, async (c) => {
    const grant = c.req.valid("json");
    const status = await grantCredits(c.get("deps").db, grant);
    if (status === "no_user") return problem(c, "not_found");
    if (status === "granted") {
      const { key, microcredits, reason, user_id: userId } = grant;
      audit(c, { type: "credits_granted", userId, details: { key, microcredits, reason } });
    }
    return c.json({ status }, 200);
  });

  app.openapi(listGrantsRoute, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const rows = await listGrants(c.get("deps").db, cursor, limit + 1);
    const { shown, next } = pageOf(rows, limit, (row) => row.id);
    const listed = shown.map(({ id, at_ms, key, user_id, microcredits }) => ({
      id,
      at: new Date(at_ms).toISOString(),
      key,
      user_id,
      credits: formatCredits(microcredits),
      microcredits,
    }));
    return c.json({ grants: listed, ...next }, 200);
  });
}
