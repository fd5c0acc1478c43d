import { createHash } from "node:crypto";
import type { Outcome } from "#protocol/outcome";
import { PROOF_HEADER } from "#protocol/proof";
import {
  parseSessionMark,
  SEALED_PATH,
  SESSION_HEADER,
  type SessionMark,
} from "#protocol/sealed-message";
import { TICKET_HEADER, type TicketClaims } from "#protocol/ticket";
import { isCallTag } from "../../e2e/aead";
import type { Gate } from "./admit";
import { checkProof, type ProvenCall } from "./proof-check";
import type { NodeRefusal } from "./refusals";
import type { NodeSession } from "./sessions";
import type { Shown, Ticketed } from "./ticket-book";

export type Identified = Ticketed & { readonly seq: number; readonly session: NodeSession };

type Identity = Outcome<Identified, NodeRefusal>;

/** Who asks, by a ticket and a session that is known, or that a proof begins now. Those that are known nobody waits for. */
export function identify(gate: Gate, headers: Headers): Identity | Promise<Identity> {
  const shown = ticketOf(gate, headers);
  return shown instanceof Promise
    ? shown.then((late) => identifyBySession(gate, headers, late))
    : identifyBySession(gate, headers, shown);
}

function identifyBySession(
  gate: Gate,
  headers: Headers,
  shown: Shown,
): Identity | Promise<Identity> {
  if (!shown.ok) return shown;
  const text = headers.get(SESSION_HEADER);
  if (text === null) return { ok: false, reason: "session_missing" };
  const mark = parseSessionMark(text);
  if (mark === undefined) return { ok: false, reason: "session_malformed" };

  const session = gate.sessions.find(mark.enc, shown.value.claims);
  if (session !== undefined) return checkTag(shown.value, mark, session);
  return beginSession(gate, headers, mark, shown.value.claims).then((begun) =>
    begun.ok ? checkTag(shown.value, mark, begun.value) : begun,
  );
}

/** A proof, too, only says who began the session; that they are the same shows here. */
function checkTag(
  { ticket, claims }: Ticketed,
  { seq, tag }: SessionMark,
  session: NodeSession,
): Identity {
  if (!isCallTag(session.requestKey, seq, tag)) return { ok: false, reason: "session_forged" };
  return { ok: true, value: { ticket, claims, seq, session } };
}

/** Who asks, by a ticket and a proof of this very request. */
export async function identifyByProof(
  gate: Gate,
  headers: Headers,
  target: string,
): Promise<Shown> {
  const shown = await ticketOf(gate, headers);
  if (!shown.ok) return shown;
  const proven = await prove(gate, headers, target, shown.value.claims);
  return proven.ok ? shown : proven;
}

function ticketOf(gate: Gate, headers: Headers): Shown | Promise<Shown> {
  const ticket = headers.get(TICKET_HEADER);
  return ticket === null ? { ok: false, reason: "ticket_missing" } : gate.tickets.check(ticket);
}

async function beginSession(
  gate: Gate,
  headers: Headers,
  { enc, seq }: SessionMark,
  claims: TicketClaims,
): Promise<Outcome<NodeSession, NodeRefusal>> {
  if (!headers.has(PROOF_HEADER)) return { ok: false, reason: "session_unknown" };
  const proven = await prove(gate, headers, SEALED_PATH, claims);
  if (!proven.ok) return proven;
  const encHash = createHash("sha256").update(Buffer.from(enc, "base64url")).digest("base64url");
  if (proven.value.seq !== seq || proven.value.bodyHash !== encHash) {
    return { ok: false, reason: "proof_other_request" };
  }
  const session = await gate.sessions.open(enc, claims);
  return session === undefined
    ? { ok: false, reason: "session_malformed" }
    : { ok: true, value: session };
}

/** The proof of the ticket's own peer, which counts once. */
async function prove(
  gate: Gate,
  headers: Headers,
  target: string,
  claims: TicketClaims,
): Promise<Outcome<ProvenCall, NodeRefusal>> {
  const proof = headers.get(PROOF_HEADER);
  if (proof === null) return { ok: false, reason: "proof_missing" };
  const nowMs = gate.clock.wallMs();
  const proven = await checkProof(gate.verifyProof, proof, gate.nodeId, target, nowMs);
  if (!proven.ok) return proven;
  const { peerId, jti } = proven.value;
  if (peerId !== claims.cnf.jkt) return { ok: false, reason: "proof_other_peer" };
  if (!gate.spentProofs.spend(peerId, jti)) return { ok: false, reason: "proof_replayed" };
  return proven;
}
