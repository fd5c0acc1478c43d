import { createRoute } from "@hono/zod-openapi";
import { CommitAnswer, CommitRequest } from "#protocol/hardware";
import type { App } from "../app-env";
import { askToOpen } from "../ask-to-open";
import { takeCommitment } from "../domain/hardware-run";
import { TIERS } from "../domain/rate-tiers";
import { enter } from "../enter";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { randomBelow } from "../random-below";
import { takeRun } from "../store/hardware-runs";

const route = createRoute({
  operationId: "commitHardware",
  method: "post",
  path: "/hardware/commit",
  request: { body: { required: true, content: { "application/json": { schema: CommitRequest } } } },
  responses: {
    200: {
      description: "What to open, chosen now",
      content: { "application/json": { schema: CommitAnswer } },
    },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "hardware_run_unknown",
      "hardware_refused",
      "rate_limited",
    ),
  },
});

export function hardwareCommit(app: App): void {
  app.openapi(route, async (c) => {
    const { nowMs, redis } = c.get("deps");
    // When it arrived: what the coordinator does with it is not the node's time.
    const arrivedMs = nowMs();
    const said = c.req.valid("json");
    const entered = await enter(c, { tier: TIERS.hardware }, (proven) =>
      takeRun(redis, proven, said.id, said.part),
    );
    if (!entered.ok) return entered.answer;
    const { run } = entered.found;
    if (run === undefined) {
      return problem(c, "hardware_run_unknown", {
        detail: "Begin anew: POST /hardware/challenge.",
      });
    }
    const taken = takeCommitment(run, said, arrivedMs, randomBelow);
    if (!taken.ok) {
      return problem(c, "hardware_refused", {
        detail: `${taken.reason}. The run has ended; another may begin at once.`,
      });
    }
    return c.json(await askToOpen(c.get("deps"), entered.proven.iss, taken.value), 200);
  });
}
