import { createRoute } from "@hono/zod-openapi";
import { isAllowedUrl } from "#protocol/address-ranges";
import { ENROLMENT_HEADER } from "#protocol/enrolment";
import { Heartbeat, HEARTBEAT_INTERVAL_S, HeartbeatAnswer } from "#protocol/heartbeat";
import { PUBLIC_NETWORK } from "#protocol/names";
import type { App, AppContext } from "../app-env";
import { checkEnrolment } from "../check-enrolment";
import { epochOf, roundIn } from "../domain/hardware-round";
import { rateInForce } from "../domain/hardware-standing";
import { TIERS } from "../domain/rate-tiers";
import { enter } from "../enter";
import { meetPeer } from "../met-peers";
import { hardwareEpoch } from "../hardware-epoch";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { readMarks } from "../store/hardware-runs";
import { recordHeartbeat } from "../store/record-heartbeat";

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
      ...PROOF_PROBLEMS,
      "enrolment_invalid",
      "rate_limited",
    ),
  },
});

export function heartbeat(app: App): void {
  app.openapi(route, async (c) => {
    const said = c.req.valid("json");
    const { config, nowMs, redis } = c.get("deps");
    const entered = await enter(c, { tier: TIERS.heartbeat }, async ({ iss }) => {
      const [enrolment, marks] = await Promise.all([
        checkEnrolment(c.get("deps"), c.req.header(ENROLMENT_HEADER)),
        readMarks(redis, iss),
      ]);
      // Whether the proof was used before is asked below, together with what is written.
      return { enrolment, marks, replayed: false };
    });
    if (!entered.ok) return entered.answer;
    const { enrolment, marks } = entered.found;
    if (enrolment?.sub !== entered.proven.iss) return enrolmentInvalid(c);
    if (!said.urls.every((url) => isAllowedUrl(url, config.allowedRanges))) {
      return problem(c, "address_not_allowed", {
        fields: ["urls"],
        detail: `Advertise an address within ${config.allowedRanges.join(", ")}.`,
      });
    }
    const node = {
      nodeId: enrolment.sub,
      userId: enrolment.usr,
      rate: rateInForce(marks, nowMs()),
      enrolledAtS: enrolment.iat,
    };
    const named = new Set(said.networks ?? [PUBLIC_NETWORK]);
    const networks = enrolment.nets.filter((network) => named.has(network));
    const recorded = await recordHeartbeat(
      redis,
      entered.proven,
      { ...node, networks },
      said,
      nowMs(),
    );
    if (recorded.outcome === "replayed") return problem(c, "proof_replayed");
    if (recorded.outcome === "enrolment_over") return enrolmentInvalid(c);
    meetPeer(node.nodeId);
    const banned = recorded.outcome === "recorded" ? recorded.banned : [];
    const refused = [...named].filter(
      (network) => !networks.includes(network) || banned.includes(network),
    );
    const { roundAtMs } = await hardwareEpoch(config, epochOf(nowMs()));
    const roundInMs = roundIn(roundAtMs, nowMs());
    const answer: HeartbeatAnswer = {
      status: "seen",
      next_in_seconds: HEARTBEAT_INTERVAL_S,
      rate: node.rate,
      ...(roundInMs !== undefined && { hardware_round_in_ms: roundInMs }),
      ...(refused.length > 0 && { refused_networks: refused }),
      ...(recorded.outcome === "suspended" && { suspended: { reason: recorded.why } }),
    };
    return c.json(answer, 200);
  });
}

function enrolmentInvalid(c: AppContext) {
  return problem(c, "enrolment_invalid", { detail: "Register again: POST /register." });
}
