import { createRoute } from "@hono/zod-openapi";
import { Jwks } from "#protocol/register";
import { z } from "zod";
import type { App } from "../app-env";
import { pemOf } from "../keys";

/** Shorter than the time for which a key is shown before it signs. */
const CACHE = "public, max-age=30";

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
  app.openapi(jwksRoute, async (c) => {
    const { jwks } = await c.get("deps").keys.latest();
    return c.json(jwks, 200, { "cache-control": CACHE });
  });
  app.openapi(pemRoute, async (c) => {
    const [signer] = (await c.get("deps").keys.latest()).jwks.keys;
    if (signer === undefined) throw new Error("There is no key to show.");
    return c.body(await pemOf(signer), 200, {
      "content-type": "application/x-pem-file",
      "cache-control": CACHE,
    });
  });
}
