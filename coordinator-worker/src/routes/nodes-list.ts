import { createRoute } from "@hono/zod-openapi";
import { NodePage } from "#protocol/directory";
import { ModelId } from "#protocol/model-offer";
import { NetworkId, PUBLIC_NETWORK } from "#protocol/names";
import { z } from "zod";
import type { App } from "../app-env";
import { authenticate, refuseProof } from "../authenticate";
import { TIERS } from "../domain/rate-tiers";
import { hitWindow, refuseRate } from "../limit-rate";
import { problem, problemResponses } from "../problem";
import { inBackground } from "../in-background";
import { dropNodes, readNodes } from "../store/live-nodes";

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
}

/** `/nodes` and, by its older name, `/peers`. */
export function nodesList(app: App): void {
  for (const route of [nodeRoute("listNodes", "/nodes"), nodeRoute("listPeers", "/peers")]) {
    app.openapi(route, async (c) => {
      const proven = await authenticate(c);
      if (!proven.ok) return refuseProof(c, proven);
      const { cursor, model, network } = c.req.valid("query");
      if (network !== PUBLIC_NETWORK) return problem(c, "not_found");
      const { nowMs, redis } = c.get("deps");
      const [admission, page] = await Promise.all([
        hitWindow(c, TIERS.read, proven.value.iss),
        readNodes(redis, proven.value, network, cursor, nowMs()),
      ]);
      if (admission?.admitted === false) return refuseRate(c, TIERS.read, admission);
      if (page.dead.length > 0) inBackground(c, dropNodes(redis, network, page.dead));
      if (page.replayed) return problem(c, "proof_replayed");

      const nodes =
        model === undefined
          ? page.nodes
          : page.nodes.filter((node) => node.models.some((offer) => offer.id === model));
      return c.json({ nodes, ...(page.next !== "0" && { next_cursor: page.next }) }, 200);
    });
  }
}
