import { createRoute } from "@hono/zod-openapi";
import { OwnPeers } from "#protocol/device";
import { PROOF_HEADER } from "#protocol/proof";
import type { App, AppContext } from "../app-env";
import { TIERS } from "../domain/rate-tiers";
import { enter, markAnd } from "../enter";
import { enterPerson } from "../enter-person";
import { problemResponses, PROOF_PROBLEMS } from "../problem";
import { readAnnounced } from "../store/live-nodes";
import { readPeers, readPeersBeside } from "../store/peers";

const route = createRoute({
  operationId: "listOwnPeers",
  method: "get",
  path: "/auth/peers",
  description:
    "For a person who is logged in, or a peer: then those of the user to whom it belongs.",
  responses: {
    200: {
      description: "The user's peers, the one used last first",
      content: { "application/json": { schema: OwnPeers } },
    },
    ...problemResponses(...PROOF_PROBLEMS, "session_missing", "origin_not_allowed", "rate_limited"),
  },
});

export function ownPeersList(app: App): void {
  app.openapi(route, async (c) => {
    const read = await readRows(c);
    if (!read.ok) return read.answer;
    const { redis } = c.get("deps");
    const ids = read.rows.map(({ id }) => id);
    const live = await readAnnounced(redis, ids);
    const iso = (ms: number) => new Date(ms).toISOString();
    const peers = read.rows.map(({ id, name, created_at_ms, last_used_at_ms }) => ({
      peer_id: id,
      ...(name !== null && { name }),
      created_at: iso(created_at_ms),
      last_used_at: iso(last_used_at_ms),
      live: live.has(id),
    }));
    return c.json({ peers }, 200);
  });
}

async function readRows(c: AppContext) {
  const { db } = c.get("deps");
  if (c.req.header(PROOF_HEADER) === undefined) {
    const entered = await enterPerson(c);
    if (!entered.ok) return entered;
    return { ok: true as const, rows: await readPeers(db, entered.person.user_id) };
  }
  const entered = await enter(c, { tier: TIERS.read }, (proven) =>
    markAnd(c, proven, readPeersBeside(db, proven.iss)),
  );
  if (!entered.ok) return entered;
  return { ok: true as const, rows: entered.found.read };
}
