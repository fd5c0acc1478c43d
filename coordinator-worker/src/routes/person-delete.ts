import { createRoute } from "@hono/zod-openapi";
import { userIdFrom } from "#protocol/names";
import { LeaveRequest } from "#protocol/own-data";
import type { App } from "../app-env";
import { audit } from "../audit";
import { enterPerson } from "../enter-person";
import { problemResponses } from "../problem";
import { provePassword } from "../prove-password";
import { forgetCookie } from "../session";
import { settleServing } from "../settle-serving";
import { closePerson } from "../store/own-data";
import { markSignedOut } from "../store/signed-out";

const route = createRoute({
  operationId: "deletePerson",
  method: "post",
  path: "/auth/delete",
  request: {
    body: { required: true, content: { "application/json": { schema: LeaveRequest } } },
  },
  responses: {
    204: { description: "The account is gone, and its machines are signed out" },
    ...problemResponses(
      "request_invalid",
      "session_missing",
      "login_failed",
      "origin_not_allowed",
      "rate_limited",
    ),
  },
});

export function personDelete(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enterPerson(c);
    if (!entered.ok) return entered.answer;
    const { user_id: userId, email } = entered.person;
    const proven = await provePassword(c, email, c.req.valid("json").password);
    if (!proven.ok) return proven.answer;

    const { db, nowMs, redis } = c.get("deps");
    const ghostId = userIdFrom(crypto.getRandomValues(new Uint8Array(16)));
    const { peers, networks } = await closePerson(db, userId, ghostId);
    audit(c, { type: "person_deleted", userId });
    await Promise.all([
      markSignedOut(redis, peers, nowMs()),
      // Where others are left an heir may own it now, and serve where only owners may.
      ...networks.map((network) => settleServing(c.get("deps"), network, "members")),
    ]);
    forgetCookie(c);
    return c.body(null, 204);
  });
}
