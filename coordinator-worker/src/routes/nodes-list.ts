import { createRoute } from "@hono/zod-openapi";
import { NodePage } from "#protocol/directory";
import { ModelId } from "#protocol/model-offer";
import { NetworkId, PUBLIC_NETWORK } from "#protocol/names";
import { z } from "zod";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problemResponses, PROOF_PROBLEMS } from "../problem";
import { inBackground } from "../in-background";
import { dropNodes, readNodes } from "../store/live-nodes";
import { viewOf } from "../view-of-network";

function nodeRoute<Path extends string>(operationId: string, path: Path) {
  return createRoute({
    operationId,
    method: "get",
    path,
    request: {
      query: z.object({
        model: ModelId.optional(),
        network: NetworkId.default(PUBLIC_NETWORK),
        cursor: z
          .string()
          .regex(/^\d{1,20}$/)
          .default("0"),
      }),
    },
    responses: {
      200: {
        description: "Live nodes; a page may be short while there is a next one",
        content: { "application/json": { schema: NodePage } },
      },
      ...problemResponses("request_invalid", ...PROOF_PROBLEMS, "not_found", "rate_limited"),
    },
  });
}

/** `/nodes` and, by its older name, `/peers`. */
export function nodesList(app: App): void {
  for (const route of [nodeRoute("listNodes", "/nodes"), nodeRoute("listPeers", "/peers")]) {
    app.openapi(route, async (c) => {
      const { cursor, model, network } = c.req.valid("query");
      const { nowMs, redis } = c.get("deps");
      const entered = await enter(c, { tier: TIERS.read }, async (proven) => {
        const [read, view] = await Promise.all([
          readNodes(redis, proven, network, cursor, nowMs()),
          viewOf(c.get("deps"), proven.iss, network),
        ]);
        return { ...read, view };
      });
      if (!entered.ok) return entered.answer;
      const { view, ...page } = entered.found;
      if (page.dead.length > 0) inBackground(c, dropNodes(redis, network, page.dead));
      if (view === undefined) return noSuchNetwork(c);

      const nodes = page.nodes
        .map((node) => ({ ...node, models: node.models.filter(({ id }) => view.shows(id)) }))
        .filter((node) => model === undefined || node.models.some(({ id }) => id === model));
      return c.json({ nodes, ...(page.next !== "0" && { next_cursor: page.next }) }, 200);
    });
  }
}
