import type { CryptoKey } from "jose";
import { z } from "zod";
import { PeerId } from "./identity";
import { type JwsRefusal, readPayload, signJws, verifyJws } from "./jws";
import { LeaseRate, Microcredits } from "./microcredits";
import { ModelId } from "./model-offer";
import { NetworkId, UserId } from "./names";
import type { Outcome } from "./outcome";

/** The header in which a client shows a node its ticket. */
export const TICKET_HEADER = "troop-ticket";
/** Where a node takes a lease's newer ticket while requests under an older one run: `POST`, no body, 204. */
export const TICKETS_PATH = "/tickets";
const TICKET_TYP = "troop-ticket+jwt";
export const TICKET_LIFETIME_S = 300;
/**
 * Seconds after the end of its last ticket that a lease keeps its hold and can be extended: receipts may still be on
 * their way. Nodes remember it for longer.
 */
export const LEASE_KEPT_S = 600;
/** Nodes that one ticket may name. */
export const MAX_CANDIDATES = 3;

export const TicketClaims = z.object({
  iss: z.string(),
  sub: UserId,
  /** The client's peer id: a stolen ticket is useless without that peer's key. */
  cnf: z.object({ jkt: PeerId }),
  aud: z.array(PeerId).min(1).max(MAX_CANDIDATES),
  /** The lease's id. */
  jti: z.uuid(),
  iat: z.int(),
  nbf: z.int(),
  exp: z.int(),
  net: NetworkId,
  model: ModelId,
  /** Microcredits a second, by node id. */
  rates: z.record(PeerId, LeaseRate),
  /** Microcredits that the lease may spend in all. */
  budget: Microcredits,
});
export type TicketClaims = z.infer<typeof TicketClaims>;

export function signTicket(claims: TicketClaims, key: CryptoKey, kid: string): Promise<string> {
  return signJws(TICKET_TYP, claims, key, { kid });
}

export type TicketExpectation = {
  readonly issuer: string;
  readonly nodeId: PeerId;
  readonly nowMs: number;
};

/** Checks what a node can check offline, except the proof's key (`cnf`), the model and the budget left. */
export function verifyTicket(
  ticket: string,
  key: CryptoKey,
  expected: TicketExpectation,
): Promise<Outcome<TicketClaims, JwsRefusal>> {
  return verifyJws(ticket, key, TicketClaims, {
    typ: TICKET_TYP,
    issuer: expected.issuer,
    audience: expected.nodeId,
    nowMs: expected.nowMs,
  });
}

/**
 * For the coordinator, which meets its tickets again beside receipts and extensions: signature, issuer and shape,
 * but no times, since a receipt may come days after its ticket ended.
 */
export async function verifyOwnTicket(
  ticket: string,
  key: CryptoKey,
  issuer: string,
): Promise<Outcome<TicketClaims, JwsRefusal>> {
  const unverified = readPayload(ticket, z.object({ nbf: z.int() }));
  if (unverified === undefined) return { ok: false, reason: "malformed" };
  // Judged at the moment it became valid, so that only its times don't count.
  return verifyJws(ticket, key, TicketClaims, {
    typ: TICKET_TYP,
    issuer,
    nowMs: unverified.nbf * 1_000,
  });
}
