import { counted } from "#protocol/counted";
import { createRoute } from "@hono/zod-openapi";
import { ENROLMENT_HEADER } from "#protocol/enrolment";
import {
  Challenge,
  CHALLENGE_TTL_S,
  ChallengeRequest,
  HARDWARE_VERSION,
  MAX_ROWS,
  MIN_COMPUTE_MS,
} from "#protocol/hardware";
import { base64url } from "jose";
import type { App } from "../app-env";
import { checkEnrolment } from "../check-enrolment";
import { epochOf } from "../domain/hardware-round";
import { beginRun } from "../domain/hardware-run";
import { TIERS } from "../domain/rate-tiers";
import { enter } from "../enter";
import { hardwareEpoch, prepareCheck } from "../hardware-epoch";
import { inBackground } from "../in-background";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { openRun } from "../store/hardware-runs";

const route = createRoute({
  operationId: "challengeHardware",
  method: "post",
  path: "/hardware/challenge",
  request: {
    body: { required: true, content: { "application/json": { schema: ChallengeRequest } } },
  },
  responses: {
    200: {
      description: "What to compute; its time runs from now",
      content: { "application/json": { schema: Challenge } },
    },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "enrolment_invalid",
      "hardware_cooldown",
      "rate_limited",
    ),
  },
});

export function hardwareChallenge(app: App): void {
  app.openapi(route, async (c) => {
    const { config, nowMs, redis } = c.get("deps");
    const enrolment = await checkEnrolment(c.get("deps"), c.req.header(ENROLMENT_HEADER));
    const epoch = await hardwareEpoch(config, epochOf(nowMs()));
    const nonce = base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
    // From before it is answered: nobody has the nonce yet, and the answer's way counts as the node's own time.
    const run = beginRun(epoch, { id: crypto.randomUUID(), nonce }, nowMs());
    const entered = await enter(c, { tier: TIERS.hardware }, async (proven) => {
      if (enrolment?.sub !== proven.iss) return { replayed: false, opened: undefined };
      const opened = await openRun(redis, proven, run);
      return { replayed: opened.outcome === "replayed", opened };
    });
    if (!entered.ok) return entered.answer;
    const { opened } = entered.found;
    if (opened === undefined) {
      return problem(c, "enrolment_invalid", { detail: "Register again: POST /register." });
    }
    if (opened.outcome === "cooling") {
      const seconds = Math.max(1, Math.ceil((opened.untilMs - nowMs()) / 1_000));
      return problem(c, "hardware_cooldown", {
        retryAfterSeconds: seconds,
        detail: `Try again in ${counted(Math.ceil(seconds / 60), "minute")}.`,
      });
    }
    inBackground(c, prepareCheck(epoch));
    const challenge: Challenge = {
      id: run.id,
      version: HARDWARE_VERSION,
      nonce: run.nonce,
      seed: base64url.encode(epoch.seed),
      min_ms: MIN_COMPUTE_MS,
      max_rows: MAX_ROWS,
      expires_in_seconds: CHALLENGE_TTL_S,
    };
    return c.json(challenge, 200);
  });
}
