import { createRoute } from "@hono/zod-openapi";
import { ModelList } from "#protocol/directory";
import { NetworkId, PUBLIC_NETWORK } from "#protocol/names";
import { z } from "zod";
import type { App } from "../app-env";
import { authenticate, refuseProof } from "../authenticate";
import { TIERS } from "../domain/rate-tiers";
import { hitWindow, refuseRate } from "../limit-rate";
import { problem, problemResponses } from "../problem";
import { readModels } from "../store/live-nodes";

const route = createRoute({
  operationId: "listModels",
  method: "get",
  path: "/v1/models",
  request: { query: z.object({ network: NetworkId.default(PUBLIC_NETWORK) }) },
  responses: {
    200: {
      description: "Models that live nodes offer, in OpenAI's shape",
      content: { "application/json": { schema: ModelList } },
    },
    ...problemResponses(
      "request_invalid",
      "proof_missing",
      "proof_invalid",
      "proof_replayed",
      "clock_skew",
      "not_found",
      "rate_limited",
    ),
  },
});

export function modelsList(app: App): void {
  app.openapi(route, async (c) => {
    const proven = await authenticate(c);
    if (!proven.ok) return refuseProof(c, proven);
    const { network } = c.req.valid("query");
    if (network !== PUBLIC_NETWORK) return problem(c, "not_found");
    const { nowMs, redis } = c.get("deps");
    const [admission, seen] = await Promise.all([
      hitWindow(c, TIERS.read, proven.value.iss),
      readModels(redis, proven.value, network, nowMs()),
    ]);
    if (admission?.admitted === false) return refuseRate(c, TIERS.read, admission);
    if (seen.replayed) return problem(c, "proof_replayed");

    const data = seen.models
      .toSorted((a, b) => a.id.localeCompare(b.id))
      .map(({ id, firstSeenS }) => ({
        id,
        object: "model" as const,
        created: firstSeenS,
        owned_by: "monkey-troop",
      }));
    return c.json({ object: "list" as const, data }, 200);
  });
}
