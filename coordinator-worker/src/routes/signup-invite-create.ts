import { createRoute } from "@hono/zod-openapi";
import { SignupInvite, SignupInviteRequest } from "#protocol/admin";
import { sha256Base64url } from "#protocol/encoding";
import { base64url } from "jose";
import type { App } from "../app-env";
import { audit } from "../audit";
import { problemResponses } from "../problem";
import { createSignupInvite } from "../store/logins";

const HOUR_MS = 60 * 60 * 1_000;

const route = createRoute({
  operationId: "createSignupInvite",
  method: "post",
  path: "/admin/invites",
  description: "For operators: HTTP Basic, user `admin`, with the setting ADMIN_PASSWORD.",
  request: {
    body: { required: true, content: { "application/json": { schema: SignupInviteRequest } } },
  },
  responses: {
    201: {
      description: "A code to join by; it is told once",
      content: { "application/json": { schema: SignupInvite } },
    },
    ...problemResponses("request_invalid", "credentials_invalid", "not_found", "rate_limited"),
  },
});

export function signupInviteCreate(app: App): void {
  app.openapi(route, async (c) => {
    const { uses, hours } = c.req.valid("json");
    const { db, nowMs } = c.get("deps");
    const code = base64url.encode(crypto.getRandomValues(new Uint8Array(18)));
    const expiresAtMs = nowMs() + hours * HOUR_MS;
    await createSignupInvite(db, { codeHash: await sha256Base64url(code), uses, expiresAtMs });
    audit(c, { type: "signup_invited", details: { uses, hours } });
    c.header("cache-control", "no-store");
    return c.json({ code, uses, expires_at: new Date(expiresAtMs).toISOString() }, 201);
  });
}
