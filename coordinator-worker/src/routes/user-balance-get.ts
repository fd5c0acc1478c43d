import { createRoute } from "@hono/zod-openapi";
import { formatCredits } from "#protocol/microcredits";
import { UserId } from "#protocol/names";
import { Balance } from "#protocol/statement";
import { z } from "zod";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { readBalance } from "../store/statements";

const route = createRoute({
  operationId: "getUserBalance",
  method: "get",
  path: "/users/{id}/balance",
  request: { params: z.object({ id: UserId }) },
  responses: {
    200: { description: "The balance", content: { "application/json": { schema: Balance } } },
    ...problemResponses("request_invalid", ...PROOF_PROBLEMS, "not_found", "rate_limited"),
  },
});

export function userBalanceGet(app: App): void {
  app.openapi(route, async (c) => {
    const { db, nowMs } = c.get("deps");
    const { id } = c.req.valid("param");
    const entered = await enter(c, { tier: TIERS.read }, (proven) =>
      markAnd(c, proven, readBalance(db, { userId: id, peerId: proven.iss }, nowMs())),
    );
    if (!entered.ok) return entered.answer;
    const row = entered.found.read;
    if (row === undefined) return problem(c, "not_found");

    const total = row.available + row.held + row.in_escrow;
    const balance: Balance = {
      user_id: id,
      available: formatCredits(row.available),
      available_microcredits: row.available,
      held: formatCredits(row.held),
      held_microcredits: row.held,
      in_escrow: formatCredits(row.in_escrow),
      in_escrow_microcredits: row.in_escrow,
      total: formatCredits(total),
      total_microcredits: total,
    };
    return c.json(balance, 200);
  });
}
