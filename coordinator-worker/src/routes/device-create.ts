import { createRoute } from "@hono/zod-openapi";
import { DeviceCode, DeviceRequest } from "#protocol/device";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter, markOnly } from "../enter";
import { problemResponses, PROOF_PROBLEMS } from "../problem";
import { senderSubject } from "../sender-address";
import { beginDevice, CODE_TTL_S, POLL_INTERVAL_S } from "../store/device-codes";
import { ACCOUNT_PATH } from "./account-page-get";

const route = createRoute({
  operationId: "createDevice",
  method: "post",
  path: "/auth/device",
  request: {
    body: { required: true, content: { "application/json": { schema: DeviceRequest } } },
  },
  responses: {
    200: {
      description: "A code for a person to approve",
      content: { "application/json": { schema: DeviceCode } },
    },
    ...problemResponses("request_invalid", ...PROOF_PROBLEMS, "rate_limited"),
  },
});

export function deviceCreate(app: App): void {
  app.openapi(route, async (c) => {
    const window = { tier: TIERS.device, subject: senderSubject(c) };
    const entered = await enter(c, window, (proven) => markOnly(c, proven));
    if (!entered.ok) return entered.answer;
    const { config, nowMs, redis } = c.get("deps");
    const { iss: peerId, key } = entered.proven;
    const { name } = c.req.valid("json");
    const peer = { peer_id: peerId, public_key_x: key.x, ...(name !== undefined && { name }) };
    const { deviceCode, userCode } = await beginDevice(redis, peer, nowMs());
    const shown = `${userCode.slice(0, 4)}-${userCode.slice(4)}`;
    const page = config.publicUrl + ACCOUNT_PATH;
    const code: DeviceCode = {
      device_code: deviceCode,
      user_code: shown,
      verification_uri: page,
      verification_uri_complete: `${page}#${shown}`,
      expires_in: CODE_TTL_S,
      interval: POLL_INTERVAL_S,
    };
    c.header("cache-control", "no-store");
    return c.json(code, 200);
  });
}
