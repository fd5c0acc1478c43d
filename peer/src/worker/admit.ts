import type { PeerId } from "#protocol/identity";
import type { UserId } from "#protocol/names";
import type { Outcome } from "#protocol/outcome";
import { PROOF_HEADER } from "#protocol/proof";
import { TICKET_HEADER, type TicketClaims } from "#protocol/ticket";
import type { Catalogue } from "../engines/catalogue";
import type { Capacity } from "./capacity";
import type { Clock } from "./clock";
import type { Admission } from "./jobs";
import type { LeaseAccount, LeaseBook } from "./lease-book";
import { checkProof, type ProvenCall } from "./proof-check";
import type { ProofVerifier } from "./proof-verifier";
import type { NodeRefusal } from "./refusals";
import { announcedLength, MOST_BODY_BYTES } from "./request-body";
import type { SpentProofs } from "./spent-proofs";
import type { TicketBook } from "./ticket-book";

/** What a node needs to know to let a request in; none of it asks anybody. */
export type Gate = {
  readonly nodeId: PeerId;
  /** Who owns this node; `undefined` until it has been enrolled. */
  readonly owner: () => UserId | undefined;
  readonly tickets: TicketBook;
  readonly verifyProof: ProofVerifier;
  readonly spentProofs: SpentProofs;
  readonly leases: LeaseBook;
  readonly capacity: Capacity;
  readonly catalogue: () => Catalogue;
  readonly clock: Clock;
};

/** Decides by the headers alone: whoever is refused has not sent a body that anybody read. */
export async function admit(
  gate: Gate,
  headers: Headers,
  target: string,
): Promise<Outcome<Admission, NodeRefusal>> {
  // Before any signature is looked at: being busy must not make a node busier.
  if (gate.capacity.limit > 0 && gate.capacity.isFull) return { ok: false, reason: "busy" };
  if ((announcedLength(headers) ?? 0) > MOST_BODY_BYTES) {
    return { ok: false, reason: "body_too_large" };
  }
  const shown = await identify(gate, headers, target);
  if (!shown.ok) return shown;
  const { ticket, claims, peerId, jti, seq, bodyHash } = shown.value;

  // From here on nothing waits, so what is free is still free when it is taken.
  const route = gate.catalogue().resolve(claims.model);
  if (route === null) return { ok: false, reason: "model_gone" };
  const lease = account(gate, claims);
  if (!lease.hasBudget()) return { ok: false, reason: "budget_exhausted" };
  const release = gate.capacity.take(route.engine.target.rootUrl);
  if (release === null) return { ok: false, reason: "busy" };
  if (!gate.spentProofs.spend(peerId, jti) || !lease.claim(seq)) {
    release();
    return { ok: false, reason: "proof_replayed" };
  }
  return { ok: true, value: { ticket, claims, seq, bodyHash, route, lease, release } };
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
  const shown = await identify(gate, headers, target);
  if (!shown.ok) return shown;
  const { claims, peerId, jti } = shown.value;
  if (!gate.spentProofs.spend(peerId, jti)) return { ok: false, reason: "proof_replayed" };
  account(gate, claims);
  return { ok: true, value: null };
}

type Shown = ProvenCall & { readonly ticket: string; readonly claims: TicketClaims };

/** Who asks, and by which ticket. */
async function identify(
  gate: Gate,
  headers: Headers,
  target: string,
): Promise<Outcome<Shown, NodeRefusal>> {
  const ticket = headers.get(TICKET_HEADER);
  if (ticket === null) return { ok: false, reason: "ticket_missing" };
  const proof = headers.get(PROOF_HEADER);
  if (proof === null) return { ok: false, reason: "proof_missing" };

  const checked = await gate.tickets.check(ticket);
  if (!checked.ok) return checked;
  const claims = checked.value;
  const proven = await checkProof(
    gate.verifyProof,
    proof,
    gate.nodeId,
    target,
    gate.clock.wallMs(),
  );
  if (!proven.ok) return proven;
  if (proven.value.peerId !== claims.cnf.jkt) return { ok: false, reason: "proof_other_peer" };
  return { ok: true, value: { ...proven.value, ticket, claims } };
}

function account(gate: Gate, claims: TicketClaims): LeaseAccount {
  return gate.leases.account({
    leaseId: claims.jti,
    budget: claims.budget,
    rate: claims.rates[gate.nodeId] ?? 0,
    expiresAtS: claims.exp,
    isFree: claims.sub === gate.owner(),
  });
}
