import { createRoute } from "@hono/zod-openapi";
import { isAllowedUrl } from "#protocol/address-ranges";
import { ENROLMENT_HEADER } from "#protocol/enrolment";
import { Heartbeat, HEARTBEAT_INTERVAL_S, HeartbeatAnswer } from "#protocol/heartbeat";
import type { App } from "../app-env";
import { authenticate, refuseProof } from "../authenticate";
import { checkEnrolment } from "../check-enrolment";
import { TIERS } from "../domain/rate-tiers";
import { hitWindow, refuseRate } from "../limit-rate";
import { problem, problemResponses } from "../problem";
import { recordHeartbeat } from "../store/live-nodes";

const route = createRoute({
  operationId: "sendHeartbeat",
  method: "post",
  path: "/heartbeat",
  request: { body: { required: true, content: { "application/json": { schema: Heartbeat } } } },
  responses: {
    200: { description: "Seen", content: { "application/json": { schema: HeartbeatAnswer } } },
    ...problemResponses(
      "request_invalid",
      "address_not_allowed",
      "proof_missing",
      "proof_invalid",
      "proof_replayed",
      "clock_skew",
      "enrolment_invalid",
      "rate_limited",
    ),
  },
});

export function heartbeat(app: App): void {
  app.openapi(route, async (c) => {
    const said = c.req.valid("json");
    const [proven, enrolment] = await Promise.all([
      authenticate(c),
      checkEnrolment(c.get("deps"), c.req.header(ENROLMENT_HEADER)),
    ]);
    if (!proven.ok) return refuseProof(c, proven);
    if (enrolment?.sub !== proven.value.iss) {
      return problem(c, "enrolment_invalid", { detail: "Register again: POST /register." });
    }
    const { config, nowMs, redis } = c.get("deps");
    if (!said.urls.every((url) => isAllowedUrl(url, config.allowedRanges))) {
      return problem(c, "address_not_allowed", {
        fields: ["urls"],
        detail: `Advertise an address within ${config.allowedRanges.join(", ")}.`,
      });
    }
    const admission = await hitWindow(c, TIERS.heartbeat, enrolment.sub);
    if (admission?.admitted === false) return refuseRate(c, TIERS.heartbeat, admission);
    const node = {
      nodeId: enrolment.sub,
      userId: enrolment.usr,
      networks: enrolment.nets,
      rate: enrolment.rate,
    };
    const fresh = await recordHeartbeat(redis, proven.value, node, said, nowMs());
    if (!fresh) return problem(c, "proof_replayed");
    return c.json({ status: "seen" as const, next_in_seconds: HEARTBEAT_INTERVAL_S }, 200);
  });
}
