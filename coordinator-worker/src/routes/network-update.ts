import { createRoute } from "@hono/zod-openapi";
import { NetworkId } from "#protocol/names";
import { Network, PolicyChange } from "#protocol/network";
import { z } from "zod";
import type { App } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { settleServing } from "../settle-serving";
import { changePolicy } from "../store/members";
import { readNetworks } from "../store/networks";

const route = createRoute({
  operationId: "changePolicy",
  method: "patch",
  path: "/networks/{id}",
  request: {
    params: z.object({ id: NetworkId }),
    body: { required: true, content: { "application/json": { schema: PolicyChange } } },
  },
  responses: {
    200: {
      description: "The network with its new policy",
      content: { "application/json": { schema: Network } },
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

export function networkUpdate(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enter(c, { tier: TIERS.networks }, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const { db } = c.get("deps");
    const { id } = c.req.valid("param");
    const change = c.req.valid("json");
    const peerId = entered.proven.iss;
    const caller = await changePolicy(db, peerId, id, change);
    if (caller === undefined) return noSuchNetwork(c);
    if (caller.role !== "owner")
      return problem(c, "forbidden", { detail: "Only owners change it." });
    const details = { network: id, changed: Object.keys(change).join(" ") };
    audit(c, { type: "network_policy_changed", userId: caller.user_id, peerId, details });
    await settleServing(c.get("deps"), id, "members");
    const [network] = await readNetworks(db, peerId, id);
    if (network === undefined) return noSuchNetwork(c);
    return c.json(network, 200);
  });
}
