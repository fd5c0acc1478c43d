import { createRoute } from "@hono/zod-openapi";
import { PROTOCOL_VERSION } from "#protocol/version";
import { z } from "zod";
import type { App } from "../app-env";

const Health = z.object({ status: z.literal("ok"), protocol: z.int() });

const route = createRoute({
  operationId: "getHealth",
  method: "get",
  path: "/health",
  responses: {
    200: { description: "Up", content: { "application/json": { schema: Health } } },
  },
});

export function healthGet(app: App): void {
  app.openapi(route, (c) => c.json({ status: "ok" as const, protocol: PROTOCOL_VERSION }, 200));
}
