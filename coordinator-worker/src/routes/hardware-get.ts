import { createRoute } from "@hono/zod-openapi";
import { HardwareStanding } from "#protocol/hardware";
import type { App } from "../app-env";
import { standingOf } from "../domain/hardware-standing";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { problemResponses, PROOF_PROBLEMS } from "../problem";
import { readMarks } from "../store/hardware-runs";

const route = createRoute({
  operationId: "getHardware",
  method: "get",
  path: "/hardware",
  responses: {
    200: {
      description: "What the caller's hardware counts for now",
      content: { "application/json": { schema: HardwareStanding } },
    },
    ...problemResponses(...PROOF_PROBLEMS, "rate_limited"),
  },
});

export function hardwareGet(app: App): void {
  app.openapi(route, async (c) => {
    const { nowMs, redis } = c.get("deps");
    const entered = await enter(c, { tier: TIERS.read }, (proven) =>
      markAnd(c, proven, readMarks(redis, proven.iss)),
    );
    if (!entered.ok) return entered.answer;
    return c.json(standingOf(entered.found.read, nowMs()), 200);
  });
}
