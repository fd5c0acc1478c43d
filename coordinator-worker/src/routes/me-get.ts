import { createRoute } from "@hono/zod-openapi";
import { Me } from "#protocol/person";
import type { App } from "../app-env";
import { enterPerson } from "../enter-person";
import { problemResponses } from "../problem";

const route = createRoute({
  operationId: "getMe",
  method: "get",
  path: "/auth/me",
  responses: {
    200: { description: "Who is logged in", content: { "application/json": { schema: Me } } },
    ...problemResponses("session_missing", "origin_not_allowed", "rate_limited"),
  },
});

export function meGet(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enterPerson(c);
    if (!entered.ok) return entered.answer;
    const { user_id, email, joined_at_ms, created_at_ms, expires_at_ms } = entered.person;
    const iso = (ms: number) => new Date(ms).toISOString();
    const me: Me = {
      user_id,
      email,
      created_at: iso(joined_at_ms),
      session: { created_at: iso(created_at_ms), expires_at: iso(expires_at_ms) },
    };
    return c.json(me, 200);
  });
}
