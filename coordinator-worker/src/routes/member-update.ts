import { createRoute } from "@hono/zod-openapi";
import { NetworkId, UserId } from "#protocol/names";
import { RoleChange } from "#protocol/network";
import { z } from "zod";
import type { App } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { settleServing } from "../settle-serving";
import { changeRole } from "../store/members";

const route = createRoute({
  operationId: "changeRole",
  method: "patch",
  path: "/networks/{id}/members/{userId}",
  request: {
    params: z.object({ id: NetworkId, userId: UserId }),
    body: { required: true, content: { "application/json": { schema: RoleChange } } },
  },
  responses: {
    200: {
      description: "The role that the member has now",
      content: { "application/json": { schema: RoleChange } },
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

export function memberUpdate(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enter(c, { tier: TIERS.networks }, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const { db } = c.get("deps");
    const { id, userId } = c.req.valid("param");
    const { role } = c.req.valid("json");
    const about = { peerId: entered.proven.iss, networkId: id, userId };
    const outcome = await changeRole(db, about, role);
    switch (outcome) {
      case "network_unknown":
        return noSuchNetwork(c);
      case "forbidden":
        return problem(c, outcome, { detail: "Only owners change roles." });
      case "member_unknown":
        return problem(c, "not_found", { detail: "The network has no such member." });
      case "last_owner":
        return problem(c, outcome, { detail: "Make another member an owner first." });
      case "changed":
    }
    await settleServing(c.get("deps"), id, [userId]);
    const details = { network: id, role };
    audit(c, { type: "member_role_changed", userId, peerId: about.peerId, details });
    return c.json({ role }, 200);
  });
}
