import { createRoute } from "@hono/zod-openapi";
import {
  FULL_TABLE_ROWS,
  MAX_PASSES,
  MIN_MEMORY_MS,
  OpenAnswer,
  OpenRequest,
} from "#protocol/hardware";
import { MICROCREDITS_PER_CREDIT } from "#protocol/microcredits";
import { base64url } from "jose";
import type { App, AppContext } from "../app-env";
import { audit } from "../audit";
import { checkOpening, type Committed } from "../domain/hardware-run";
import { countFailure, countPass } from "../count-run";
import { COOLDOWN_MS } from "../domain/hardware-score";
import { TIERS } from "../domain/rate-tiers";
import { enter } from "../enter";
import { hardwareEpoch } from "../hardware-epoch";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { keepGoing, keepOpened, takeRun } from "../store/hardware-runs";

const route = createRoute({
  operationId: "verifyHardware",
  method: "post",
  path: "/hardware/verify",
  request: { body: { required: true, content: { "application/json": { schema: OpenRequest } } } },
  responses: {
    200: {
      description: "Right: the next part, or what the proof comes to",
      content: { "application/json": { schema: OpenAnswer } },
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

export function hardwareVerify(app: App): void {
  app.openapi(route, async (c) => {
    const { config, nowMs, redis } = c.get("deps");
    const arrivedMs = nowMs();
    const said = c.req.valid("json");
    const entered = await enter(c, { tier: TIERS.hardware }, (proven) =>
      takeRun(redis, proven, said.id, `${said.part}_committed`),
    );
    if (!entered.ok) return entered.answer;
    const { run } = entered.found;
    if (run === undefined) {
      return problem(c, "hardware_run_unknown", {
        detail: "Begin anew: POST /hardware/challenge.",
      });
    }
    const nodeId = entered.proven.iss;
    const { check } = await hardwareEpoch(config, run.epoch);
    const opened = checkOpening(run, said, nodeId, check, arrivedMs);
    if (!opened.ok) {
      audit(c, { type: "hardware_failed", peerId: nodeId, details: { reason: opened.reason } });
      await countFailure(c.get("deps"), nodeId, run.in_round, opened.reason);
      return problem(c, "hardware_refused", {
        detail: `${opened.reason}. Nothing counts for the next ${COOLDOWN_MS / 60_000} minutes.`,
      });
    }
    const answer =
      opened.value.stage === "compute_committed"
        ? await goOn(c, nodeId, opened.value)
        : await finish(c, nodeId, opened.value);
    return c.json(answer, 200);
  });
}

type Stage<Name extends Committed["stage"]> = Extract<Committed, { stage: Name }>;

async function goOn(
  c: AppContext,
  nodeId: string,
  { committed, open: _open, asked_ms: _asked, ...run }: Stage<"compute_committed">,
): Promise<OpenAnswer> {
  const { nowMs, redis } = c.get("deps");
  const key = base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
  const started_ms = nowMs();
  const next = { ...run, stage: "memory" as const, committed_rows: committed, key, started_ms };
  await Promise.all([keepOpened(redis, nodeId), keepGoing(redis, nodeId, next)]);
  return {
    status: "continue",
    key,
    min_ms: MIN_MEMORY_MS,
    max_passes: MAX_PASSES,
    full_table_rows: FULL_TABLE_ROWS,
  };
}

async function finish(
  c: AppContext,
  nodeId: string,
  { compute_ops, memory_bytes, in_round }: Stage<"memory_committed">,
): Promise<OpenAnswer> {
  const run = { computeOps: compute_ops, memoryBytes: memory_bytes, inRound: in_round };
  const { rate, standing } = await countPass(c.get("deps"), nodeId, run);
  audit(c, { type: "hardware_passed", peerId: nodeId, details: { rate, in_round: run.inRound } });
  const run_multiplier = rate / MICROCREDITS_PER_CREDIT;
  return { status: "passed", compute_ops, memory_bytes, run_multiplier, standing };
}
