import { createRoute } from "@hono/zod-openapi";
import { Jwks } from "#protocol/register";
import { z } from "zod";
import type { App } from "../app-env";

/** Keys change by rotation, where both live for a while. */
const CACHE = "public, max-age=300";

const jwksRoute = createRoute({
  operationId: "getJwks",
  method: "get",
  path: "/.well-known/jwks.json",
  responses: {
    200: { description: "Public keys", content: { "application/json": { schema: Jwks } } },
  },
});

const pemRoute = createRoute({
  operationId: "getPublicKey",
  method: "get",
  path: "/public-key",
  responses: {
    200: {
      description: "The key that signs now, as PEM",
      content: { "application/x-pem-file": { schema: z.string() } },
    },
  },
});

export function keysGet(app: App): void {
  app.openapi(jwksRoute, (c) => c.json(c.get("deps").keys.jwks, 200, { "cache-control": CACHE }));
  app.openapi(pemRoute, (c) =>
    c.body(c.get("deps").keys.pem, 200, {
      "content-type": "application/x-pem-file",
      "cache-control": CACHE,
    }),
  );
}
