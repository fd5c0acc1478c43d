import { createRoute } from "@hono/zod-openapi";
import { SuspensionRequest } from "#protocol/admin";
import { PeerId } from "#protocol/identity";
import { z } from "zod";
import type { App } from "../app-env";
import { audit } from "../audit";
import { problem, problemResponses } from "../problem";
import { settleSuspension } from "../settle-suspension";
import { reinstatePeer, suspendPeer } from "../store/admin";

function suspensionRoute<Path extends string>(operationId: string, path: Path, done: string) {
  return createRoute({
    operationId,
    method: "post",
    path,
    description: "For operators: HTTP Basic, user `admin`, with the setting ADMIN_PASSWORD.",
    request: {
      params: z.object({ id: PeerId }),
      body: { required: true, content: { "application/json": { schema: SuspensionRequest } } },
    },
    responses: {
      204: { description: done },
      ...problemResponses("request_invalid", "credentials_invalid", "not_found", "rate_limited"),
    },
  });
}

const suspendRoute = suspensionRoute(
  "suspendNode",
  "/admin/nodes/{id}/suspend",
  "Suspended: it is offered to nobody, and hears why with its next heartbeat",
);
const reinstateRoute = suspensionRoute(
  "reinstateNode",
  "/admin/nodes/{id}/reinstate",
  "Reinstated: its next heartbeat counts again",
);

export function nodeSuspend(app: App): void {
  app.openapi(suspendRoute, async (c) => {
    const { db, nowMs } = c.get("deps");
    const { id } = c.req.valid("param");
    const { reason } = c.req.valid("json");
    if (!(await suspendPeer(db, id, reason, nowMs()))) return problem(c, "not_found");
    await settleSuspension(c.get("deps"), id);
    audit(c, { type: "node_suspended", peerId: id, details: { reason } });
    return c.body(null, 204);
  });

  app.openapi(reinstateRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { reason } = c.req.valid("json");
    if (!(await reinstatePeer(c.get("deps").db, id))) return problem(c, "not_found");
    await settleSuspension(c.get("deps"), id);
    audit(c, { type: "node_reinstated", peerId: id, details: { reason } });
    return c.body(null, 204);
  });
}
