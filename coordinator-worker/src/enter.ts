import type { AppContext } from "./app-env";
import { routePath } from "hono/route";
import { audit } from "./audit";
import { authenticate, type Proven, refuseProof } from "./authenticate";
import { strangersTier, type Tier, TIERS } from "./domain/rate-tiers";
import { hitQuietly, hitWindow, isKnownFull, refuseRate } from "./limit-rate";
import { hasMetPeer } from "./met-peers";
import { problem } from "./problem";
import { senderSubject } from "./sender-address";
import { markProof } from "./store/replay";

/** What a route asks of its stores meanwhile; it marks the proof as used, and says whether it was before. */
export type Asked = { readonly replayed: boolean };

/**
 * The door of every route for peers: who sent this request, is there room in the window, was the proof used before. The
 * window and what the route itself asks run at once; what was found comes with a refusal, too, where it has to be undone.
 */
export async function enter<Found extends Asked>(
  c: AppContext,
  window: { readonly tier: Tier; readonly subject?: string },
  ask: (proven: Proven) => Promise<Found>,
) {
  const proven = await authenticate(c);
  if (!proven.ok) {
    const admission = await hitWindow(c, TIERS.refused, senderSubject(c));
    if (!admission.admitted) return { ok: false as const, answer: refuseRate(c, admission) };
    audit(c, { type: "proof_refused", details: { reason: proven.reason, route: routeOf(c) } });
    return { ok: false as const, answer: refuseProof(c, proven) };
  }
  const { iss } = proven.value;
  // Where the window is its address's, that counts it already.
  const isCounted = window.subject !== undefined || hasMetPeer(iss);
  const stranger = isCounted ? undefined : await hitStrangers(c);
  if (stranger?.admitted === false) {
    return { ok: false as const, answer: refuseRate(c, stranger) };
  }
  const subject = window.subject ?? iss;
  if (isKnownFull(c, window.tier, subject)) {
    const refused = await hitWindow(c, window.tier, subject);
    return { ok: false as const, answer: refuseRate(c, refused) };
  }
  const [admission, found] = await Promise.all([
    hitWindow(c, window.tier, subject),
    ask(proven.value),
  ]);
  if (!admission.admitted) return { ok: false as const, answer: refuseRate(c, admission), found };
  if (found.replayed) {
    const details = { reason: "replayed", route: routeOf(c) };
    audit(c, { type: "proof_refused", peerId: proven.value.iss, details });
    return { ok: false as const, answer: problem(c, "proof_replayed"), found };
  }
  return { ok: true as const, proven: proven.value, found };
}

/** A key costs nothing: until a peer is known to be registered, its calls count for its address, too. */
function hitStrangers(c: AppContext) {
  const tier = strangersTier(c.get("deps").config.registrationsPerHour);
  return hitQuietly(c, tier, senderSubject(c));
}

/** The path as it is declared: what a sender wrote in its place could be anything. */
function routeOf(c: AppContext): string {
  return `${c.req.method} ${routePath(c, -1)}`;
}

/** For `enter`: marks the proof, and reads something else at the same time. */
export async function markAnd<Read>(
  c: AppContext,
  proven: Proven,
  read: Promise<Read>,
): Promise<{ readonly replayed: boolean; readonly read: Read }> {
  const [fresh, value] = await Promise.all([markProof(c.get("deps").redis, proven), read]);
  return { replayed: !fresh, read: value };
}

/** For `enter`, where nothing else is asked. */
export async function markOnly(c: AppContext, proven: Proven): Promise<Asked> {
  return { replayed: !(await markProof(c.get("deps").redis, proven)) };
}
