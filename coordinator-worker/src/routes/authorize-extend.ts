import { createRoute } from "@hono/zod-openapi";
import { ExtendRequest, Extension } from "#protocol/authorize";
import { TICKET_LIFETIME_S } from "#protocol/ticket";
import type { App } from "../app-env";
import { checkTicket } from "../check-ticket";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { issueTicket } from "../issue-ticket";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { extendLease } from "../store/ledger";

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
    ...problemResponses("request_invalid", ...PROOF_PROBLEMS, "lease_not_found", "rate_limited"),
  },
});

export function authorizeExtend(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enter(c, { tier: TIERS.authorize }, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const { iss: peerId, jti } = entered.proven;
    const asked = c.req.valid("json");
    const ticket = await checkTicket(c.get("deps"), asked.ticket);
    if (!ticket.ok || ticket.value.cnf.jkt !== peerId) return problem(c, "lease_not_found");

    const { db, nowMs } = c.get("deps");
    const startsAtS = Math.floor(nowMs() / 1_000);
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
    // A lease without credits has a budget that nothing counts towards.
    const isFree = Object.values(rates).every((rate) => rate === 0);
    const budget = isFree ? ticket.value.budget : extended.budget;
    const extension: Extension = {
      ticket: await issueTicket(c.get("deps"), {
        userId: sub,
        peerId,
        leaseId,
        network: net,
        model,
        rates,
        budget,
        startsAtS,
      }),
      lease_id: leaseId,
      budget,
      expires_at: startsAtS + TICKET_LIFETIME_S,
    };
    return c.json(extension, 200);
  });
}
