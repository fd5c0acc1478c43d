import { createRoute } from "@hono/zod-openapi";
import type { App } from "../app-env";
import { audit } from "../audit";
import { problemResponses } from "../problem";
import { forgetCookie, refuseSession, requireSession } from "../session";
import { endSession } from "../store/sessions";

const route = createRoute({
  operationId: "deleteSession",
  method: "post",
  path: "/auth/logout",
  responses: {
    204: { description: "Logged out" },
    ...problemResponses("session_missing", "origin_not_allowed"),
  },
});

export function sessionDelete(app: App): void {
  app.openapi(route, async (c) => {
    const session = await requireSession(c);
    if (!session.ok) return refuseSession(c, session);
    await endSession(c.get("deps").db, session.value.token_hash);
    forgetCookie(c);
    audit(c, { type: "logout", userId: session.value.user_id });
    return c.body(null, 204);
  });
}
