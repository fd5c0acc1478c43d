import { createRoute } from "@hono/zod-openapi";
import { networkIdFrom } from "#protocol/names";
import { CreateNetworkRequest, DEFAULT_POLICY, Network, NetworkPolicy } from "#protocol/network";
import type { App, AppContext } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { createNetwork, readNetworks } from "../store/networks";

const route = createRoute({
  operationId: "createNetwork",
  method: "post",
  path: "/networks",
  request: {
    body: { required: true, content: { "application/json": { schema: CreateNetworkRequest } } },
  },
  responses: {
    201: {
      description: "A private network, the caller's user its owner",
      content: { "application/json": { schema: Network } },
    },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "not_registered",
      "peer_revoked",
      "name_taken",
      "limit_reached",
      "rate_limited",
    ),
  },
});

export function networksCreate(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enter(c, { tier: TIERS.networks }, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const { db } = c.get("deps");
    const { name, policy: wanted } = c.req.valid("json");
    const policy = NetworkPolicy.parse({ ...DEFAULT_POLICY, ...wanted });
    const id = networkIdFrom(crypto.getRandomValues(new Uint8Array(16)));
    const peerId = entered.proven.iss;
    const { outcome, user_id: userId } = await createNetwork(db, { id, name, policy, peerId });
    switch (outcome) {
      case "not_registered":
        return problem(c, "not_registered", { detail: "Register first: POST /register." });
      case "peer_revoked":
        return signedOut(c);
      case "name_taken":
        return problem(c, "name_taken", { fields: ["name"] });
      case "too_many":
        return problem(c, "limit_reached", { detail: "Leave another network first." });
      case "created":
    }
    audit(c, {
      type: "network_created",
      userId: userId ?? undefined,
      peerId,
      details: { network: id },
    });
    const [network] = await readNetworks(db, peerId, id);
    // The peer was signed out or given to another person meanwhile.
    if (network === undefined) return signedOut(c);
    return c.json(network, 201);
  });
}

function signedOut(c: AppContext) {
  return problem(c, "peer_revoked", { detail: 'Run "troop login" to link it again.' });
}
