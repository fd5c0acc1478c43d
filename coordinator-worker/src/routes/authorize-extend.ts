import { createRoute } from "@hono/zod-openapi";
import { ExtendRequest, Extension } from "#protocol/authorize";
import { TICKET_LIFETIME_S } from "#protocol/ticket";
import type { App } from "../app-env";
import { authenticate, refuseProof } from "../authenticate";
import { checkTicket } from "../check-ticket";
import { TIERS } from "../domain/rate-tiers";
import { issueTicket } from "../issue-ticket";
import { hitWindow, refuseRate } from "../limit-rate";
import { problem, problemResponses } from "../problem";
import { extendLease } from "../store/ledger";
import { markProof } from "../store/live-nodes";

const route = createRoute({
  operationId: "extendAuthorization",
  method: "post",
  path: "/authorize/extend",
  request: { body: { required: true, content: { "application/json": { schema: ExtendRequest } } } },
  responses: {
    200: {
      description: "A new ticket for the same lease",
      content: { "application/json": { schema: Extension } },
    },
    ...problemResponses(
      "request_invalid",
      "proof_missing",
      "proof_invalid",
      "proof_replayed",
      "clock_skew",
      "lease_not_found",
      "rate_limited",
    ),
  },
});

export function authorizeExtend(app: App): void {
  app.openapi(route, async (c) => {
    const asked = c.req.valid("json");
    const [proven, ticket] = await Promise.all([
      authenticate(c),
      checkTicket(c.get("deps"), asked.ticket),
    ]);
    if (!proven.ok) return refuseProof(c, proven);
    if (!ticket.ok || ticket.value.cnf.jkt !== proven.value.iss)
      return problem(c, "lease_not_found");

    const { db, nowMs, redis } = c.get("deps");
    const startsAtS = Math.floor(nowMs() / 1_000);
    const { iss: peerId, jti } = proven.value;
    const [admission, fresh] = await Promise.all([
      hitWindow(c, TIERS.authorize, peerId),
      markProof(redis, proven.value),
    ]);
    if (admission?.admitted === false) return refuseRate(c, TIERS.authorize, admission);
    if (!fresh) return problem(c, "proof_replayed");
    // Behind the checks: an extension has nothing to give back, and nobody waits for one.
    const extended = await extendLease(db, {
      leaseId: ticket.value.jti,
      peerId,
      add: asked.add,
      expiresAtMs: (startsAtS + TICKET_LIFETIME_S) * 1_000,
      key: `${peerId}:${jti}`,
    });
    if (extended.outcome === "lease_not_found") return problem(c, "lease_not_found");

    const { sub, jti: leaseId, net, model, rates } = ticket.value;
    const extension: Extension = {
      ticket: await issueTicket(c.get("deps"), {
        userId: sub,
        peerId,
        leaseId,
        network: net,
        model,
        rates,
        budget: extended.budget,
        startsAtS,
      }),
      lease_id: leaseId,
      budget: extended.budget,
      expires_at: startsAtS + TICKET_LIFETIME_S,
    };
    return c.json(extension, 200);
  });
}
