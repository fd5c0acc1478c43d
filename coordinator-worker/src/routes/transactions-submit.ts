import { createRoute } from "@hono/zod-openapi";
import { SubmitAnswer, SubmitRequest } from "#protocol/submit";
import type { App } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { problemResponses, PROOF_PROBLEMS } from "../problem";
import { settleBatch } from "../settle-batch";

const route = createRoute({
  operationId: "submitTransactions",
  method: "post",
  path: "/transactions/submit",
  request: { body: { required: true, content: { "application/json": { schema: SubmitRequest } } } },
  responses: {
    200: {
      description: "What came of each item, in order",
      content: { "application/json": { schema: SubmitAnswer } },
    },
    ...problemResponses("request_invalid", ...PROOF_PROBLEMS, "rate_limited"),
  },
});

export function transactionsSubmit(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enter(c, { tier: TIERS.submit }, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const batch = c.req.valid("json");
    const { results, disputes } = await settleBatch(c.get("deps"), entered.proven, batch);
    for (const { lease, node, seq } of disputes) {
      const details = { lease, node, seq };
      audit(c, { type: "settlement_disputed", peerId: entered.proven.iss, details });
    }
    return c.json({ results }, 200);
  });
}
