import { createRoute } from "@hono/zod-openapi";
import { OwnData } from "#protocol/own-data";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enterPerson } from "../enter-person";
import { problem, problemResponses } from "../problem";
import { readOwnData } from "../store/own-data";

const route = createRoute({
  operationId: "getOwnData",
  method: "get",
  path: "/auth/export",
  responses: {
    200: {
      description: "All that is kept about the person",
      content: { "application/json": { schema: OwnData } },
    },
    ...problemResponses("session_missing", "origin_not_allowed", "rate_limited"),
  },
});

export function ownDataGet(app: App): void {
  app.openapi(route, async (c) => {
    const entered = await enterPerson(c, TIERS.ownData);
    if (!entered.ok) return entered.answer;
    const data = await readOwnData(c.get("deps").db, entered.person.user_id);
    if (data === undefined) return problem(c, "session_missing");
    c.header("content-disposition", 'attachment; filename="monkey-troop.json"');
    return c.json(data, 200);
  });
}
