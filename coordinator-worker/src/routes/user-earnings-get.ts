import { createRoute } from "@hono/zod-openapi";
import { UserId } from "#protocol/names";
import { Earnings } from "#protocol/statement";
import { z } from "zod";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { sumEarnings } from "../sum-earnings";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { CHOICES_KEPT_DAYS, readChoices } from "../store/choices";
import { readEarnings } from "../store/earnings";
import { readAnnounced } from "../store/live-nodes";

const route = createRoute({
  operationId: "getUserEarnings",
  method: "get",
  path: "/users/{id}/earnings",
  request: {
    params: z.object({ id: UserId }),
    query: z.object({ days: z.coerce.number().int().min(1).max(CHOICES_KEPT_DAYS).default(30) }),
  },
  responses: {
    200: {
      description: "What the user's nodes served, and why they were not chosen",
      content: { "application/json": { schema: Earnings } },
    },
    ...problemResponses("request_invalid", ...PROOF_PROBLEMS, "not_found", "rate_limited"),
  },
});

export function userEarningsGet(app: App): void {
  app.openapi(route, async (c) => {
    const { db, nowMs, redis } = c.get("deps");
    const { id: userId } = c.req.valid("param");
    const { days } = c.req.valid("query");
    const entered = await enter(c, { tier: TIERS.read }, (proven) =>
      markAnd(c, proven, readEarnings(db, { userId, peerId: proven.iss, days })),
    );
    if (!entered.ok) return entered.answer;
    const rows = entered.found.read;
    if (rows === undefined) return problem(c, "not_found");

    const peers = rows.filter((row) => row.part === "node").map((row) => row.key);
    const [choices, live] = await Promise.all([
      readChoices(redis, userId, days, nowMs()),
      readAnnounced(redis, peers),
    ]);
    return c.json(sumEarnings({ userId, days }, rows, choices, live), 200);
  });
}
