import { createRoute } from "@hono/zod-openapi";
import { NetworkId, UserId } from "#protocol/names";
import { Removed } from "#protocol/network";
import { z } from "zod";
import type { App } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { settleServing } from "../settle-serving";
import { removeMember } from "../store/members";

const route = createRoute({
  operationId: "removeMember",
  method: "delete",
  path: "/networks/{id}/members/{userId}",
  request: {
    params: z.object({ id: NetworkId, userId: UserId }),
  },
  responses: {
    200: {
      description: "The user is no member any more: taken out by an owner, or gone by itself",
      content: { "application/json": { schema: Removed } },
    },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "forbidden",
      "not_found",
      "last_owner",
      "rate_limited",
    ),
  },
});

export function memberRemove(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enter(c, { tier: TIERS.networks }, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const { db } = c.get("deps");
    const { id, userId } = c.req.valid("param");
    const about = { peerId: entered.proven.iss, networkId: id, userId };
    const { outcome, by_user: byUser } = await removeMember(db, about);
    switch (outcome) {
      case "network_unknown":
        return noSuchNetwork(c);
      case "forbidden":
        return problem(c, outcome, { detail: "Only owners take others out." });
      case "last_owner":
        return problem(c, outcome, { detail: "Make another member an owner first." });
      // Also where it was taken out before: perhaps the ban failed then.
      case "member_unknown":
      case "removed":
        await settleServing(c.get("deps"), id, [userId]);
    }
    if (outcome === "removed") {
      const type = byUser === userId ? "network_left" : "member_removed";
      audit(c, { type, userId, peerId: about.peerId, details: { network: id } });
    }
    return c.json({ status: "removed" as const }, 200);
  });
}
