import { createRoute } from "@hono/zod-openapi";
import { LoginRequest, Session } from "#protocol/person";
import type { App } from "../app-env";
import { inBackground } from "../in-background";
import { isFromForeignPage } from "../own-page";
import { audit } from "../audit";
import { hashPassword, isOutdated } from "../password-hash";
import { problem, problemResponses } from "../problem";
import { provePassword } from "../prove-password";
import { openSession } from "../session";
import { replacePassword } from "../store/logins";

const route = createRoute({
  operationId: "createSession",
  method: "post",
  path: "/auth/login",
  request: {
    body: { required: true, content: { "application/json": { schema: LoginRequest } } },
  },
  responses: {
    200: { description: "Logged in", content: { "application/json": { schema: Session } } },
    ...problemResponses("request_invalid", "login_failed", "origin_not_allowed", "rate_limited"),
  },
});

export function sessionCreate(app: App): void {
  app.openapi(route, async (c) => {
    if (isFromForeignPage(c)) return problem(c, "origin_not_allowed");
    const { email, password, session } = c.req.valid("json");
    const { db } = c.get("deps");
    const proven = await provePassword(c, email, password);
    if (!proven.ok) return proven.answer;
    const { login } = proven;
    if (isOutdated(login.password)) {
      inBackground(
        c,
        hashPassword(password).then((hash) => replacePassword(db, login.user_id, hash)),
      );
    }
    const opened = await openSession(c, { userId: login.user_id, email }, session);
    if (opened === undefined) return problem(c, "login_failed");
    audit(c, { type: "login", userId: login.user_id });
    return c.json(opened, 200);
  });
}
