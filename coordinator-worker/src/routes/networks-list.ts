import { createRoute } from "@hono/zod-openapi";
import { NetworkList } from "#protocol/network";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { problemResponses, PROOF_PROBLEMS } from "../problem";
import { readNetworks } from "../store/networks";

const route = createRoute({
  operationId: "listNetworks",
  method: "get",
  path: "/networks",
  responses: {
    200: {
      description: "The private networks that the caller's user belongs to",
      content: { "application/json": { schema: NetworkList } },
    },
    ...problemResponses(...PROOF_PROBLEMS, "rate_limited"),
  },
});

export function networksList(app: App): void {
  app.openapi(route, async (c) => {
    const { db } = c.get("deps");
    const entered = await enter(c, { tier: TIERS.read }, (proven) =>
      markAnd(c, proven, readNetworks(db, proven.iss)),
    );
    if (!entered.ok) return entered.answer;
    return c.json({ networks: entered.found.read }, 200);
  });
}
