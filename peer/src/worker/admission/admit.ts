import { WAIT_HEADER } from "#protocol/busy";
import type { PeerId } from "#protocol/identity";
import type { UserId } from "#protocol/names";
import type { Outcome } from "#protocol/outcome";
import type { TicketClaims } from "#protocol/ticket";
import type { Catalogue } from "../../engines/catalogue";
import type { Availability } from "../line/availability";
import type { Capacity } from "../line/capacity";
import type { Clock } from "../../clock";
import { identify, identifyByProof } from "./identify";
import type { Admission } from "../line/jobs";
import type { LeaseAccount, LeaseBook } from "./lease-book";
import type { ProofVerifier } from "./proof-verifier";
import type { NodeRefusal, RefusalReason } from "./refusals";
import { announcedLength, MOST_SEALED_BYTES } from "../serve/sealed-request";
import type { NodeSession, Sessions } from "./sessions";
import type { SpentProofs } from "./spent-proofs";
import type { TicketBook } from "./ticket-book";
import type { WaitingLine } from "../line/waiting-line";

/** What a node needs to know to let a request in; none of it asks anybody. */
export type Gate = {
  readonly nodeId: PeerId;
  /** Who owns this node; `undefined` until it has been enrolled. */
  readonly owner: () => UserId | undefined;
  readonly tickets: TicketBook;
  readonly sessions: Sessions;
  readonly verifyProof: ProofVerifier;
  readonly spentProofs: SpentProofs;
  readonly leases: LeaseBook;
  readonly availability: Availability;
  readonly capacity: Capacity;
  readonly line: WaitingLine;
  readonly catalogue: () => Catalogue;
  readonly clock: Clock;
};

/** A request that was let in; what it asks for is still sealed. */
export type Admitted = Admission & { readonly session: NodeSession };

/** Decides by the headers alone: whoever is refused has not sent a body that anybody read. */
export async function admit(gate: Gate, request: Request): Promise<Outcome<Admitted, NodeRefusal>> {
  const { availability, capacity, line } = gate;
  const { headers } = request;
  // Before any signature is looked at: being busy must not make a node busier.
  if (availability.closedBy !== undefined) return { ok: false, reason: availability.closedBy };
  const forMs = willingToWaitMs(headers);
  if (capacity.limit > 0 && capacity.isFull && (forMs === 0 || line.isFull)) {
    return { ok: false, reason: "busy", ahead: line.ahead() };
  }
  if ((announcedLength(headers) ?? 0) > MOST_SEALED_BYTES) {
    return { ok: false, reason: "body_too_large" };
  }
  const identifying = identify(gate, headers);
  const identified = identifying instanceof Promise ? await identifying : identifying;
  if (!identified.ok) return identified;
  const { ticket, claims, seq, session } = identified.value;

  // From here on nothing waits but for a place, so what is free is still free when it is taken.
  const route = gate.catalogue().resolve(claims.model);
  if (route === null) return { ok: false, reason: whyNotOffered(gate, claims) };
  const lease = account(gate, claims);
  if (!lease.hasBudget()) return { ok: false, reason: "budget_exhausted" };
  const asker = { engineUrl: route.engine.target.rootUrl, user: claims.sub };
  const release = capacity.take(asker);
  if (release === null && forMs === 0) {
    return { ok: false, reason: "busy", ahead: line.ahead(asker) };
  }
  if (!lease.claim(seq)) {
    release?.();
    return { ok: false, reason: "proof_replayed" };
  }
  if (release !== null) {
    const value = { ticket, claims, seq, session, route, lease, queuedMs: 0, release };
    return { ok: true, value };
  }

  const sinceMs = gate.clock.steadyMs();
  const place = await line.wait(asker, forMs, request.signal);
  const refused =
    whyNoLonger(gate, { claims, route, lease }) ?? (place.ok ? undefined : place.reason);
  if (place.ok && refused === undefined) {
    const queuedMs = Math.round(gate.clock.steadyMs() - sinceMs);
    const value = { ticket, claims, seq, session, route, lease, queuedMs, release: place.value };
    return { ok: true, value };
  }
  if (place.ok) place.value();
  lease.unclaim(seq);
  const reason = refused ?? "busy";
  return { ok: false, reason, ...(reason === "busy" && { ahead: line.ahead(asker) }) };
}

/** 0: a client that has somewhere else to go does not wait. */
function willingToWaitMs(headers: Headers): number {
  const text = headers.get(WAIT_HEADER);
  return text !== null && MILLISECONDS.test(text) ? Number(text) : 0;
}

const MILLISECONDS = /^\d{1,6}$/;

function whyNotOffered(gate: Gate, { model }: TicketClaims): "model_loading" | "model_gone" {
  return gate.catalogue().loading.includes(model) ? "model_loading" : "model_gone";
}

/** What may have changed while a request waited for its place. */
function whyNoLonger(
  gate: Gate,
  { claims, route, lease }: Pick<Admitted, "claims" | "route" | "lease">,
): RefusalReason | undefined {
  const now = gate.catalogue().resolve(claims.model);
  if (now === null) return whyNotOffered(gate, claims);
  // Another engine has it now, whose places are others.
  if (now.engine.target.rootUrl !== route.engine.target.rootUrl) return "busy";
  return lease.hasBudget() ? undefined : "budget_exhausted";
}

/**
 * Takes a lease's newer ticket without a request, so that what runs under it may go on when its budget has grown. A
 * full node takes it, too.
 */
export async function takeTicket(
  gate: Gate,
  headers: Headers,
  target: string,
): Promise<Outcome<null, NodeRefusal>> {
  const shown = await identifyByProof(gate, headers, target);
  if (!shown.ok) return shown;
  account(gate, shown.value.claims);
  return { ok: true, value: null };
}

function account(gate: Gate, claims: TicketClaims): LeaseAccount {
  const rate = claims.rates[gate.nodeId] ?? 0;
  return gate.leases.account({
    leaseId: claims.jti,
    budget: claims.budget,
    rate,
    expiresAtS: claims.exp,
    isFree: rate === 0 || claims.sub === gate.owner(),
  });
}
