import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../app-env";

const SANE = /^[A-Za-z0-9_-]{8,64}$/;

/** Echoes a sane X-Request-ID or makes one. */
export function requestId() {
  return createMiddleware<AppEnv>(async function requestId(c, next) {
    const given = c.req.header("x-request-id");
    const id = given !== undefined && SANE.test(given) ? given : crypto.randomUUID();
    c.set("requestId", id);
    // Before there is an answer: setting it on one makes another answer, with all its headers.
    c.header("x-request-id", id);
    await next();
  });
}
