import { createRoute } from "@hono/zod-openapi";
import { ModelList } from "#protocol/directory";
import { formatCredits } from "#protocol/microcredits";
import { NetworkId, PUBLIC_NETWORK } from "#protocol/names";
import { z } from "zod";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problemResponses, PROOF_PROBLEMS } from "../problem";
import { readModels } from "../store/live-nodes";
import { viewOf } from "../view-of-network";

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
    ...problemResponses("request_invalid", ...PROOF_PROBLEMS, "not_found", "rate_limited"),
  },
});

export function modelsList(app: App): void {
  app.openapi(route, async (c) => {
    const { network } = c.req.valid("query");
    const { nowMs, redis } = c.get("deps");
    const entered = await enter(c, { tier: TIERS.read }, async (proven) => {
      const [seen, view] = await Promise.all([
        readModels(redis, proven, network, nowMs()),
        viewOf(c.get("deps"), proven.iss, network),
      ]);
      return { ...seen, view };
    });
    if (!entered.ok) return entered.answer;
    const { models, view } = entered.found;
    if (view === undefined) return noSuchNetwork(c);

    const data = models
      .filter(({ id }) => view.shows(id))
      .toSorted((a, b) => a.id.localeCompare(b.id))
      .map(({ id, firstSeenS, rate }) => ({
        id,
        object: "model" as const,
        created: firstSeenS,
        owned_by: "monkey-troop",
        ...(rate !== undefined && view.credits && { credits_per_1k_tokens: formatCredits(rate) }),
      }));
    const shown = new Map(data.map((model) => [model.id, model]));
    // A model that nodes offer keeps its name, whatever else is called by it.
    const aliases = Object.entries(view.aliases).flatMap(([id, target]) => {
      const model = shown.get(target);
      return model === undefined || shown.has(id) ? [] : [{ ...model, id, alias_of: target }];
    });
    return c.json({ object: "list" as const, data: [...data, ...aliases] }, 200);
  });
}
