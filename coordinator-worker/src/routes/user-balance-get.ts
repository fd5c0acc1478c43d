import { createRoute } from "@hono/zod-openapi";
import { formatCredits } from "#protocol/microcredits";
import { UserId } from "#protocol/names";
import { Balance } from "#protocol/statement";
import { z } from "zod";
import type { App } from "../app-env";
import { authenticate, refuseProof } from "../authenticate";
import { TIERS } from "../domain/rate-tiers";
import { hitWindow, refuseRate } from "../limit-rate";
import { problem, problemResponses } from "../problem";
import { markProof } from "../store/live-nodes";
import { readBalance } from "../store/statements";

const route = createRoute({
  operationId: "getUserBalance",
  method: "get",
  path: "/users/{id}/balance",
  request: { params: z.object({ id: UserId }) },
  responses: {
    200: { description: "The balance", content: { "application/json": { schema: Balance } } },
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

export function userBalanceGet(app: App): void {
  app.openapi(route, async (c) => {
    const proven = await authenticate(c);
    if (!proven.ok) return refuseProof(c, proven);
    const { db, redis } = c.get("deps");
    const { id } = c.req.valid("param");
    const [admission, fresh, row] = await Promise.all([
      hitWindow(c, TIERS.read, proven.value.iss),
      markProof(redis, proven.value),
      readBalance(db, id, proven.value.iss),
    ]);
    if (admission?.admitted === false) return refuseRate(c, TIERS.read, admission);
    if (!fresh) return problem(c, "proof_replayed");
    if (row === undefined) return problem(c, "not_found");

    const total = row.available + row.held;
    const balance: Balance = {
      user_id: id,
      available: formatCredits(row.available),
      available_microcredits: row.available,
      held: formatCredits(row.held),
      held_microcredits: row.held,
      total: formatCredits(total),
      total_microcredits: total,
    };
    return c.json(balance, 200);
  });
}
