import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { base64url } from "jose";
import { sha256Base64url } from "#protocol/encoding";
import type { Outcome } from "#protocol/outcome";
import type { PersonRequest, Session } from "#protocol/person";
import type { AppContext } from "./app-env";
import { isFromOwnPage } from "./own-page";
import { problem } from "./problem";
import { createSession, type OpenSession, readSession } from "./store/sessions";

/** `__Host-`: no other host of the same domain can set or overwrite it. */
const COOKIE = "troop_session";
const COOKIE_OPTIONS = {
  path: "/",
  secure: true,
  httpOnly: true,
  sameSite: "Strict",
  prefix: "host",
} as const;
const TOKEN = /^[\w-]{43}$/;
const LIFETIME_S = 30 * 24 * 60 * 60;

type SessionRefusal = { readonly reason: "missing" | "other_site" };

/** Logs a person in: by a cookie, or by a token in the answer. Undefined where the person is gone. */
export async function openSession(
  c: AppContext,
  person: { readonly userId: string; readonly email: string },
  kind: PersonRequest["session"],
): Promise<Session | undefined> {
  const { db, nowMs } = c.get("deps");
  const token = base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
  const expiresAtMs = nowMs() + LIFETIME_S * 1_000;
  const tokenHash = await sha256Base64url(token);
  const isOpen = await createSession(db, { tokenHash, userId: person.userId, expiresAtMs });
  if (!isOpen) return undefined;
  c.header("cache-control", "no-store");
  if (kind === "cookie") setCookie(c, COOKIE, token, { ...COOKIE_OPTIONS, maxAge: LIFETIME_S });
  return {
    user_id: person.userId,
    email: person.email,
    expires_at: new Date(expiresAtMs).toISOString(),
    ...(kind === "bearer" && { token }),
  };
}

/**
 * Who is logged in. A cookie comes along whoever wrote the page, so that what it may change also takes a page of this
 * coordinator's own; a token never comes by itself.
 */
export async function requireSession(c: AppContext): Promise<Outcome<OpenSession, SessionRefusal>> {
  const given = readToken(c);
  if (given === undefined) return { ok: false, reason: "missing" };
  const isRead = c.req.method === "GET";
  if (given.kind === "cookie" && !isRead && !isFromOwnPage(c)) {
    return { ok: false, reason: "other_site" };
  }
  c.header("cache-control", "no-store");
  const session = await readSession(c.get("deps").db, await sha256Base64url(given.token));
  return session === undefined ? { ok: false, reason: "missing" } : { ok: true, value: session };
}

export function refuseSession(c: AppContext, { reason }: SessionRefusal) {
  switch (reason) {
    case "missing":
      return problem(c, "session_missing", { detail: "Log in: POST /auth/login." });
    case "other_site":
      return problem(c, "origin_not_allowed");
  }
}

export function forgetCookie(c: AppContext): void {
  deleteCookie(c, COOKIE, COOKIE_OPTIONS);
}

function readToken(c: AppContext): { kind: PersonRequest["session"]; token: string } | undefined {
  const header = c.req.header("authorization");
  const [kind, token] =
    header === undefined
      ? (["cookie", getCookie(c, COOKIE, "host")] as const)
      : (["bearer", /^Bearer ([^ ]+)$/i.exec(header)?.[1]] as const);
  return token !== undefined && TOKEN.test(token) ? { kind, token } : undefined;
}
