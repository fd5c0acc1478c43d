import { createRoute } from "@hono/zod-openapi";
import { ENROLMENT_LIFETIME_S, signEnrolment } from "#protocol/enrolment";
import { MICROCREDITS_PER_CREDIT } from "#protocol/microcredits";
import { PUBLIC_NETWORK, userIdFrom } from "#protocol/names";
import { RegisterRequest, Registration } from "#protocol/register";
import type { App } from "../app-env";
import { authenticate, refuseProof } from "../authenticate";
import { registerTier } from "../domain/rate-tiers";
import { hitWindow, refuseRate, senderAddress } from "../limit-rate";
import { problem, problemResponses } from "../problem";
import { registerPeer } from "../store/ledger";
import { markProof } from "../store/live-nodes";

/** What a node earns until its hardware is proven: the reference device's rate. */
const UNPROVEN_RATE = MICROCREDITS_PER_CREDIT;

const route = createRoute({
  operationId: "registerPeer",
  method: "post",
  path: "/register",
  request: {
    body: { required: true, content: { "application/json": { schema: RegisterRequest } } },
  },
  responses: {
    200: {
      description: "Enrolled, now or before",
      content: { "application/json": { schema: Registration } },
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

export function register(app: App): void {
  app.openapi(route, async (c) => {
    const proven = await authenticate(c);
    if (!proven.ok) return refuseProof(c, proven);
    const { config, db, keys, nowMs, redis } = c.get("deps");
    const tier = registerTier(config.registrationsPerHour);
    const [admission, fresh] = await Promise.all([
      hitWindow(c, tier, senderAddress(c)),
      markProof(redis, proven.value),
    ]);
    if (admission?.admitted === false) return refuseRate(c, tier, admission);
    if (!fresh) return problem(c, "proof_replayed");

    const peerId = proven.value.iss;
    const userId = await registerPeer(db, {
      peerId,
      publicKeyX: proven.value.key.x,
      name: c.req.valid("json").name,
      newUserId: userIdFrom(crypto.getRandomValues(new Uint8Array(16))),
      starterMicrocredits: config.starterMicrocredits,
    });
    const iat = Math.floor(nowMs() / 1_000);
    const claims = {
      iss: config.publicUrl,
      sub: peerId,
      usr: userId,
      nets: [PUBLIC_NETWORK],
      rate: UNPROVEN_RATE,
      iat,
      exp: iat + ENROLMENT_LIFETIME_S,
    };
    const registration: Registration = {
      peer_id: peerId,
      user_id: userId,
      networks: claims.nets,
      issuer: config.publicUrl,
      jwks: keys.jwks,
      enrolment: await signEnrolment(claims, keys.signingKey, keys.kid),
      enrolment_expires_at: claims.exp,
      rate: claims.rate,
      allowed_ranges: [...config.allowedRanges],
    };
    return c.json(registration, 200);
  });
}
