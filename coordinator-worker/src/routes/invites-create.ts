import { createRoute } from "@hono/zod-openapi";
import { sha256Base64url } from "#protocol/encoding";
import { crockford, NetworkId } from "#protocol/names";
import { InviteRequest, NewInvite } from "#protocol/network";
import { z } from "zod";
import type { App } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { createInvite } from "../store/invites";

const route = createRoute({
  operationId: "createInvite",
  method: "post",
  path: "/networks/{id}/invites",
  request: {
    params: z.object({ id: NetworkId }),
    body: { required: true, content: { "application/json": { schema: InviteRequest } } },
  },
  responses: {
    201: {
      description: "An invite; its code is told this once",
      content: { "application/json": { schema: NewInvite } },
    },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "forbidden",
      "not_found",
      "limit_reached",
      "rate_limited",
    ),
  },
});

export function invitesCreate(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enter(c, { tier: TIERS.networks }, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const { config, db, nowMs } = c.get("deps");
    const { role, uses, expires_in_seconds } = c.req.valid("json");
    const code = crockford(crypto.getRandomValues(new Uint8Array(16)));
    const id = crypto.randomUUID();
    const expiresAtMs = nowMs() + expires_in_seconds * 1_000;
    const networkId = c.req.valid("param").id;
    const codeHash = await sha256Base64url(code);
    const invite = { id, networkId, codeHash, role, uses, expiresAtMs };
    const peerId = entered.proven.iss;
    const { outcome, user_id: userId } = await createInvite(db, peerId, invite, nowMs());
    switch (outcome) {
      case "network_unknown":
        return noSuchNetwork(c);
      case "forbidden":
        return problem(c, "forbidden", { detail: "Only owners invite." });
      case "too_many":
        return problem(c, "limit_reached", { detail: "Revoke an invite first." });
      case "created":
    }
    const details = { network: networkId, invite: id, role, uses };
    audit(c, { type: "network_invited", userId: userId ?? undefined, peerId, details });
    const expires_at = new Date(expiresAtMs).toISOString();
    const written = `${code}@${config.publicUrl}`;
    return c.json({ id, role, uses_left: uses, expires_at, invite: written }, 201);
  });
}
