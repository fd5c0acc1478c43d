import { createRoute } from "@hono/zod-openapi";
import type { App } from "../app-env";
import { audit } from "../audit";
import { problemResponses } from "../problem";
import { enterPerson } from "../enter-person";
import { forgetCookie } from "../session";
import { endSession } from "../store/sessions";

const route = createRoute({
  operationId: "deleteSession",
  method: "post",
  path: "/auth/logout",
  responses: {
    204: { description: "Logged out" },
    ...problemResponses("session_missing", "origin_not_allowed", "rate_limited"),
  },
});

export function sessionDelete(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enterPerson(c);
    if (!entered.ok) return entered.answer;
    const { token_hash: tokenHash, user_id: userId } = entered.person;
    await endSession(c.get("deps").db, tokenHash);
    forgetCookie(c);
    audit(c, { type: "logout", userId });
    return c.body(null, 204);
  });
}
