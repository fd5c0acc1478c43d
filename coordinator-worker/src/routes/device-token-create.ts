import { createRoute } from "@hono/zod-openapi";
import { DeviceLink, DeviceTokenRequest } from "#protocol/device";
import type { App } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { starterAtOnce } from "../starter-at-once";
import { askDevice, forgetDevice } from "../store/device-codes";
import { linkPeer } from "../store/peers";
import { markLinked } from "../store/signed-out";

const route = createRoute({
  operationId: "createDeviceToken",
  method: "post",
  path: "/auth/device/token",
  request: {
    body: { required: true, content: { "application/json": { schema: DeviceTokenRequest } } },
  },
  responses: {
    200: {
      description: "The peer belongs to the person now",
      content: { "application/json": { schema: DeviceLink } },
    },
    ...problemResponses(
      "request_invalid",
      "authorization_pending",
      "slow_down",
      "access_denied",
      "expired_token",
      ...PROOF_PROBLEMS,
      "rate_limited",
    ),
  },
});

export function deviceTokenCreate(app: App): void {
  app.openapi(route, async (c) => {
    const { config, db, redis } = c.get("deps");
    const { device_code: deviceCode } = c.req.valid("json");
    const entered = await enter(c, { tier: TIERS.devicePoll }, (proven) =>
      markAnd(c, proven, askDevice(redis, deviceCode)),
    );
    if (!entered.ok) return entered.answer;
    const { tooSoon, request } = entered.found.read;
    // A code that was overheard is of no use to another peer.
    if (request === undefined || request.peer_id !== entered.proven.iss) {
      return problem(c, "expired_token", { detail: "Begin again: POST /auth/device." });
    }
    const { decision } = request;
    switch (decision.state) {
      case "pending":
        return problem(c, tooSoon ? "slow_down" : "authorization_pending");
      case "denied":
        await forgetDevice(redis, deviceCode);
        return problem(c, "access_denied");
      case "approved":
    }
    // May be done twice, as long as nobody has signed the peer out since: an answer that was lost can be asked for again.
    const isLinked = await linkPeer(db, {
      peerId: request.peer_id,
      publicKeyX: request.public_key_x,
      name: request.name,
      userId: decision.user_id,
      starterMicrocredits: starterAtOnce(config),
      requestedAtMs: request.requested_at_ms,
    });
    if (!isLinked) {
      return problem(c, "expired_token", { detail: "Begin again: POST /auth/device." });
    }
    await markLinked(redis, request.peer_id, decision.user_id);
    audit(c, { type: "peer_linked", userId: decision.user_id, peerId: request.peer_id });
    return c.json({ user_id: decision.user_id, email: decision.email }, 200);
  });
}
