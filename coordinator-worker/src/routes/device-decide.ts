import { createRoute } from "@hono/zod-openapi";
import { DeviceDecision } from "#protocol/device";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enterPerson } from "../enter-person";
import { problem, problemResponses } from "../problem";
import { decideDevice } from "../store/device-codes";
import { CODE_UNKNOWN } from "./device-find";

const route = createRoute({
  operationId: "decideDevice",
  method: "post",
  path: "/auth/device/decide",
  request: {
    body: { required: true, content: { "application/json": { schema: DeviceDecision } } },
  },
  responses: {
    204: { description: "Decided; the peer learns it when it asks next" },
    ...problemResponses(
      "request_invalid",
      "session_missing",
      "origin_not_allowed",
      "not_found",
      "rate_limited",
    ),
  },
});

export function deviceDecide(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enterPerson(c, TIERS.userCode);
    if (!entered.ok) return entered.answer;
    const { user_code: userCode, approve } = c.req.valid("json");
    const { user_id, email } = entered.person;
    const decision = approve
      ? { state: "approved" as const, user_id, email }
      : { state: "denied" as const };
    const decided = await decideDevice(c.get("deps").redis, userCode, decision);
    if (decided === undefined) return problem(c, "not_found", { detail: CODE_UNKNOWN });
    return c.body(null, 204);
  });
}
