import { createRoute } from "@hono/zod-openapi";
import { PeerId } from "#protocol/identity";
import { userIdFrom } from "#protocol/names";
import { PROOF_HEADER } from "#protocol/proof";
import { z } from "zod";
import type { App, AppContext } from "../app-env";
import { audit } from "../audit";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { enterPerson } from "../enter-person";
import { problem, problemResponses, PROOF_PROBLEMS } from "../problem";
import { readOwner, revokePeer } from "../store/peers";
import { markSignedOut } from "../store/signed-out";

const route = createRoute({
  operationId: "revokeOwnPeer",
  method: "post",
  path: "/auth/peers/{id}/revoke",
  description: "For a person who is logged in, or the peer itself. No peer signs another one out.",
  request: { params: z.object({ id: PeerId }) },
  responses: {
    204: { description: "Signed out: it can do nothing until it is linked again" },
    ...problemResponses(
      "request_invalid",
      ...PROOF_PROBLEMS,
      "session_missing",
      "origin_not_allowed",
      "not_found",
      "rate_limited",
    ),
  },
});

export function ownPeerRevoke(app: App): void {
  app.openapi(route, async (c) => {
    const { id: peerId } = c.req.valid("param");
    const asking = await ownerOf(c, peerId);
    if (!asking.ok) return asking.answer;
    const { db, nowMs, redis } = c.get("deps");
    const ghostId = userIdFrom(crypto.getRandomValues(new Uint8Array(16)));
    const { userId } = asking;
    const isDone = userId !== undefined && (await revokePeer(db, { peerId, userId, ghostId }));
    if (!isDone) return problem(c, "not_found");
    audit(c, { type: "peer_signed_out", userId, peerId });
    await markSignedOut(redis, [peerId], nowMs());
    return c.body(null, 204);
  });
}

/** The person for whom a peer may be signed out by this request. */
async function ownerOf(c: AppContext, peerId: string) {
  if (c.req.header(PROOF_HEADER) === undefined) {
    const entered = await enterPerson(c);
    return entered.ok ? { ok: true as const, userId: entered.person.user_id } : entered;
  }
  const { db } = c.get("deps");
  const entered = await enter(c, { tier: TIERS.read }, (proven) =>
    markAnd(c, proven, readOwner(db, proven.iss)),
  );
  if (!entered.ok) return entered;
  const isItself = entered.proven.iss === peerId;
  return { ok: true as const, userId: isItself ? entered.found.read : undefined };
}
