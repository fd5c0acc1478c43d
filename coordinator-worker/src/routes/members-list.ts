import { createRoute } from "@hono/zod-openapi";
import { NetworkId } from "#protocol/names";
import { MemberList } from "#protocol/network";
import { z } from "zod";
import type { App } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { noSuchNetwork } from "../hidden";
import { problemResponses, PROOF_PROBLEMS } from "../problem";
import { readMembers } from "../store/members";

const route = createRoute({
  operationId: "listMembers",
  method: "get",
  path: "/networks/{id}/members",
  request: {
    params: z.object({ id: NetworkId }),
  },
  responses: {
    200: {
      description: "The members of a network of the caller's",
      content: { "application/json": { schema: MemberList } },
    },
    ...problemResponses("request_invalid", ...PROOF_PROBLEMS, "not_found", "rate_limited"),
  },
});

export function membersList(app: App): void {
  app.openapi(route, async (c) => {
    const { db } = c.get("deps");
    const { id } = c.req.valid("param");
    const entered = await enter(c, { tier: TIERS.read }, (proven) =>
      markAnd(c, proven, readMembers(db, proven.iss, id)),
    );
    if (!entered.ok) return entered.answer;
    const members = entered.found.read;
    // A member finds at least itself.
    return members.length === 0 ? noSuchNetwork(c) : c.json({ members }, 200);
  });
}
