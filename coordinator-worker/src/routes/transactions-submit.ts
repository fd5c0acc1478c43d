import { createRoute } from "@hono/zod-openapi";
import { SubmitAnswer, SubmitRequest } from "#protocol/submit";
import type { App } from "../app-env";
import { authenticate, refuseProof } from "../authenticate";
import { TIERS } from "../domain/rate-tiers";
import { hitWindow, refuseRate } from "../limit-rate";
import { problem, problemResponses } from "../problem";
import { settleBatch } from "../settle-batch";
import { markProof } from "../store/live-nodes";

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
    ...problemResponses(
      "request_invalid",
      "proof_missing",
      "proof_invalid",
      "proof_replayed",
      "clock_skew",
      "rate_limited",
    ),
  },
});

export function transactionsSubmit(app: App): void {
  app.openapi(route, async (c) => {
    const proven = await authenticate(c);
    if (!proven.ok) return refuseProof(c, proven);
    const [admission, fresh] = await Promise.all([
      hitWindow(c, TIERS.submit, proven.value.iss),
      markProof(c.get("deps").redis, proven.value),
    ]);
    if (admission?.admitted === false) return refuseRate(c, TIERS.submit, admission);
    if (!fresh) return problem(c, "proof_replayed");

    const results = await settleBatch(c.get("deps"), proven.value, c.req.valid("json"));
    return c.json({ results }, 200);
  });
}
