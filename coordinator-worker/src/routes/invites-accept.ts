import { createRoute } from "@hono/zod-openapi";
import { sha256Base64url } from "#protocol/encoding";
import { AcceptInviteRequest, Network } from "#protocol/network";
import type { App } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { settleServing } from "../settle-serving";
import { acceptInvite } from "../store/invites";
import { readNetworks } from "../store/networks";

const route = createRoute({
  operationId: "acceptInvite",
  method: "post",
  path: "/invites/accept",
  request: {
    body: { required: true, content: { "application/json": { schema: AcceptInviteRequest } } },
  },
  responses: {
    200: {
      description: "The network that the caller's user belongs to from now on, or did before",
      content: { "application/json": { schema: Network } },
    },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "not_registered",
      "peer_revoked",
      "invite_invalid",
      "limit_reached",
      "rate_limited",
    ),
  },
});

export function invitesAccept(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enter(c, { tier: TIERS.networks }, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const { db, nowMs } = c.get("deps");
    const peerId = entered.proven.iss;
    const codeHash = await sha256Base64url(c.req.valid("json").code);
    const { outcome, user_id, network_id } = await acceptInvite(db, peerId, codeHash, nowMs());
    if (outcome === "not_registered") {
      return problem(c, outcome, { detail: "Register first: POST /register." });
    }
    if (outcome === "peer_revoked") {
      return problem(c, outcome, { detail: 'Run "troop login" to link it again.' });
    }
    if (outcome === "too_many") {
      return problem(c, "limit_reached", { detail: "Leave another network first." });
    }
    if (outcome === "network_full") {
      return problem(c, "limit_reached", { detail: "The network has no room for a member more." });
    }
    const [network] = network_id === null ? [] : await readNetworks(db, peerId, network_id);
    // Also where the member was taken out again since.
    if (network === undefined || user_id === null) return problem(c, "invite_invalid");
    if (outcome === "joined") {
      const details = { network: network.id, role: network.role };
      audit(c, { type: "network_joined", userId: user_id, peerId, details });
    }
    // Where a removal came before, its ban has done its work.
    await settleServing(c.get("deps"), network.id, [user_id]);
    return c.json(network, 200);
  });
}
