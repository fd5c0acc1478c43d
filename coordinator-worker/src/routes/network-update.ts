import { createRoute } from "@hono/zod-openapi";
import { NetworkId } from "#protocol/names";
import { Network, PolicyChange } from "#protocol/network";
import { z } from "zod";
import type { App } from "../app-env";
import { mayServe } from "../domain/network-rights";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { changePolicy, readLenders } from "../store/members";
import { readNetworks } from "../store/networks";
import { allowServing, banServing, type Lender } from "../store/serve-bans";

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
    const { db, redis } = c.get("deps");
    const { id } = c.req.valid("param");
    const role = await changePolicy(db, entered.proven.iss, id, c.req.valid("json"));
    if (role === null) return noSuchNetwork(c);
    if (role !== "owner") return problem(c, "forbidden", { detail: "Only owners change it." });
    const [members, [network]] = await Promise.all([
      readLenders(db, id),
      readNetworks(db, entered.proven.iss, id),
    ]);
    if (network === undefined) return noSuchNetwork(c);

    const may: Lender[] = [];
    const mayNot: Lender[] = [];
    for (const { user_id: userId, role: own, peers } of members) {
      (mayServe(own, network.policy) ? may : mayNot).push({ userId, peers });
    }
    await Promise.all([allowServing(redis, id, may), banServing(redis, id, mayNot)]);
    return c.json(network, 200);
  });
}
