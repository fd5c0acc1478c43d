import { createRoute } from "@hono/zod-openapi";
import { KEYS_ROTATE_PATH, Rotation, RotationRequest } from "#protocol/admin";
import type { App } from "../app-env";
import { audit } from "../audit";
import { problemResponses } from "../problem";
import { rotateKeys } from "../rotate-keys";

const route = createRoute({
  operationId: "rotateKeys",
  method: "post",
  path: KEYS_ROTATE_PATH,
  description: "For operators: HTTP Basic, user `admin`, with the setting ADMIN_PASSWORD.",
  request: {
    body: { required: true, content: { "application/json": { schema: RotationRequest } } },
  },
  responses: {
    200: {
      description: "A new key is shown from now on, and signs after the lead",
      content: { "application/json": { schema: Rotation } },
    },
    ...problemResponses("request_invalid", "credentials_invalid", "not_found", "rate_limited"),
  },
});

export function keysRotate(app: App): void {
  app.openapi(route, async (c) => {
    const deps = c.get("deps");
    const signsFromMs = deps.nowMs() + c.req.valid("json").lead_seconds * 1_000;
    const { kid } = await rotateKeys(deps, signsFromMs);
    audit(c, { type: "keys_rotated", details: { kid } });
    return c.json({ kid, signs_from: new Date(signsFromMs).toISOString() }, 200);
  });
}
