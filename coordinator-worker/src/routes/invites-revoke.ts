import { createRoute } from "@hono/zod-openapi";
import { NetworkId } from "#protocol/names";
import { Removed } from "#protocol/network";
import { z } from "zod";
import type { App } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { revokeInvite } from "../store/invites";

const route = createRoute({
  operationId: "revokeInvite",
  method: "delete",
  path: "/networks/{id}/invites/{inviteId}",
  request: {
    params: z.object({ id: NetworkId, inviteId: z.uuid() }),
  },
  responses: {
    200: {
      description: "Nobody joins by it any more",
      content: { "application/json": { schema: Removed } },
    },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "forbidden",
      "not_found",
      "rate_limited",
    ),
  },
});

export function invitesRevoke(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enter(c, { tier: TIERS.networks }, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const { id, inviteId } = c.req.valid("param");
    const peerId = entered.proven.iss;
    const revoked = await revokeInvite(c.get("deps").db, peerId, id, inviteId);
    const { role, user_id: userId, is_gone: isGone } = revoked;
    if (role === null) return noSuchNetwork(c);
    if (role !== "owner") return problem(c, "forbidden", { detail: "Only owners revoke invites." });
    if (isGone) {
      const details = { network: id, invite: inviteId };
      audit(c, { type: "network_invite_revoked", userId: userId ?? undefined, peerId, details });
    }
    return c.json({ status: "removed" as const }, 200);
  });
}
