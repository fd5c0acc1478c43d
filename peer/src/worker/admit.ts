import type { PeerId } from "#protocol/identity";
import type { UserId } from "#protocol/names";
import type { Outcome } from "#protocol/outcome";
import type { TicketClaims } from "#protocol/ticket";
import type { Catalogue } from "../engines/catalogue";
import type { Capacity } from "./capacity";
import type { Clock } from "../clock";
import { identify, identifyByProof } from "./identify";
import type { Admission } from "./jobs";
import type { LeaseAccount, LeaseBook } from "./lease-book";
import type { ProofVerifier } from "./proof-verifier";
import type { NodeRefusal } from "./refusals";
import { announcedLength, MOST_SEALED_BYTES } from "./sealed-request";
import type { NodeSession, Sessions } from "./sessions";
import type { SpentProofs } from "./spent-proofs";
import type { TicketBook } from "./ticket-book";

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
  readonly capacity: Capacity;
  readonly catalogue: () => Catalogue;
  readonly clock: Clock;
};

/** A request that was let in; what it asks for is still sealed. */
export type Admitted = Omit<Admission, "bodyHash"> & { readonly session: NodeSession };

/** Decides by the headers alone: whoever is refused has not sent a body that anybody read. */
export async function admit(gate: Gate, headers: Headers): Promise<Outcome<Admitted, NodeRefusal>> {
  // Before any signature is looked at: being busy must not make a node busier.
  if (gate.capacity.limit > 0 && gate.capacity.isFull) return { ok: false, reason: "busy" };
  if ((announcedLength(headers) ?? 0) > MOST_SEALED_BYTES) {
    return { ok: false, reason: "body_too_large" };
  }
  const identified = await identify(gate, headers);
  if (!identified.ok) return identified;
  const { claims, seq } = identified.value;

  // From here on nothing waits, so what is free is still free when it is taken.
  const route = gate.catalogue().resolve(claims.model);
  if (route === null) return { ok: false, reason: "model_gone" };
  const lease = account(gate, claims);
  if (!lease.hasBudget()) return { ok: false, reason: "budget_exhausted" };
  const release = gate.capacity.take(route.engine.target.rootUrl);
  if (release === null) return { ok: false, reason: "busy" };
  if (!lease.claim(seq)) {
    release();
    return { ok: false, reason: "proof_replayed" };
  }
  return { ok: true, value: { ...identified.value, route, lease, release } };
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
