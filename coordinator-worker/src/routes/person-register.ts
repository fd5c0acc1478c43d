import { createRoute } from "@hono/zod-openapi";
import { sha256Base64url } from "#protocol/encoding";
import { userIdFrom } from "#protocol/names";
import { PersonRequest, Session } from "#protocol/person";
import { admitNewcomer } from "../admit-newcomer";
import type { App } from "../app-env";
import { audit } from "../audit";
import { isFromForeignPage } from "../own-page";
import { hashPassword } from "../password-hash";
import { problem, problemResponses } from "../problem";
import { openSession } from "../session";
import { createInvitedLogin, createLogin } from "../store/logins";

const route = createRoute({
  operationId: "registerPerson",
  method: "post",
  path: "/auth/register",
  request: {
    body: { required: true, content: { "application/json": { schema: PersonRequest } } },
  },
  responses: {
    201: {
      description: "Registered and logged in",
      content: { "application/json": { schema: Session } },
    },
    ...problemResponses(
      "request_invalid",
      "origin_not_allowed",
      "email_taken",
      "registration_closed",
      "signup_invite_invalid",
      "rate_limited",
    ),
  },
});

export function personRegister(app: App): void {
  app.openapi(route, async (c) => {
    if (isFromForeignPage(c)) return problem(c, "origin_not_allowed");
    const { email, password, session, invite } = c.req.valid("json");
    const { config, db } = c.get("deps");
    if (config.joinPolicy === "closed") return problem(c, "registration_closed");
    const refused = await admitNewcomer(c);
    if (refused !== undefined) return refused;

    const newcomer = {
      userId: userIdFrom(crypto.getRandomValues(new Uint8Array(16))),
      email,
      passwordHash: await hashPassword(password),
    };
    const { userId } = newcomer;
    const created =
      config.joinPolicy === "open"
        ? await createLogin(db, newcomer)
        : await createInvitedLogin(db, newcomer, await sha256Base64url(invite ?? ""));
    switch (created) {
      case "email_taken":
        return problem(c, "email_taken");
      case "invite_invalid":
        return problem(c, "signup_invite_invalid", { detail: "Ask the operator for one." });
      case "created":
    }
    audit(c, { type: "person_registered", userId });
    const opened = await openSession(c, { userId, email }, session);
    if (opened === undefined) throw new Error("A person is not there that was just made.");
    return c.json(opened, 201);
  });
}
