import { createRoute } from "@hono/zod-openapi";
import { PendingDevice, UserCodeRequest } from "#protocol/device";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enterPerson } from "../enter-person";
import { problem, problemResponses } from "../problem";
import { findDevice } from "../store/device-codes";

const route = createRoute({
  operationId: "findDevice",
  method: "post",
  path: "/auth/device/find",
  request: {
    body: { required: true, content: { "application/json": { schema: UserCodeRequest } } },
  },
  responses: {
    200: {
      description: "The peer that shows this code",
      content: { "application/json": { schema: PendingDevice } },
    },
    ...problemResponses(
      "request_invalid",
      "session_missing",
      "origin_not_allowed",
      "not_found",
      "rate_limited",
    ),
  },
});

export function deviceFind(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enterPerson(c, TIERS.userCode);
    if (!entered.ok) return entered.answer;
    const found = await findDevice(c.get("deps").redis, c.req.valid("json").user_code);
    if (found === undefined) return problem(c, "not_found", { detail: CODE_UNKNOWN });
    const pending: PendingDevice = {
      peer_id: found.peer_id,
      ...(found.name !== undefined && { name: found.name }),
      requested_at: new Date(found.requested_at_ms).toISOString(),
    };
    return c.json(pending, 200);
  });
}

export const CODE_UNKNOWN = "No machine waits with this code; a code is good for ten minutes.";
