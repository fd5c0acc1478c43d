import { createRoute } from "@hono/zod-openapi";
import { NetworkId } from "#protocol/names";
import { InviteList } from "#protocol/network";
import { z } from "zod";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { readInvites } from "../store/invites";

const route = createRoute({
  operationId: "listInvites",
  method: "get",
  path: "/networks/{id}/invites",
  request: {
    params: z.object({ id: NetworkId }),
  },
  responses: {
    200: {
      description: "The open invites of a network that the caller owns, without their codes",
      content: { "application/json": { schema: InviteList } },
    },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "forbidden",
      "not_found",
      "rate_limited",
    ),
  },
});

export function invitesList(app: App): void {
  app.openapi(route, async (c) => {
    const { db, nowMs } = c.get("deps");
    const { id } = c.req.valid("param");
    const entered = await enter(c, { tier: TIERS.read }, (proven) =>
      markAnd(c, proven, readInvites(db, proven.iss, id, nowMs())),
    );
    if (!entered.ok) return entered.answer;
    const { role, invites } = entered.found.read;
    if (role === null) return noSuchNetwork(c);
    if (role !== "owner") return problem(c, "forbidden", { detail: "Only owners see invites." });
    return c.json({ invites }, 200);
  });
}
