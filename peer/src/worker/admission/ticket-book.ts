import { z } from "zod";
import type { PeerId } from "#protocol/identity";
import { CLOCK_SKEW_S, type JwsRefusal, readHeader } from "#protocol/jws";
import type { NetworkId } from "#protocol/names";
import type { Outcome } from "#protocol/outcome";
import { type TicketClaims, verifyTicket } from "#protocol/ticket";
import type { CoordinatorKeys } from "./coordinator-keys";
import type { NodeRefusal, RefusalReason } from "./refusals";

/**
 * A ticket and what it says. Its text is the same string for all requests that show it: each comes with one of its own, a
 * kilobyte long, which its receipt would keep until the coordinator has that.
 */
export type Ticketed = { readonly ticket: string; readonly claims: TicketClaims };

/** Checks tickets offline. One that was good before costs a look-up, so a request pays for its proof only. */
export type TicketBook = {
  check(ticket: string): Shown | Promise<Shown>;
};

export type Shown = Outcome<Ticketed, NodeRefusal>;

export type TicketBookOptions = {
  readonly nodeId: PeerId;
  readonly keys: CoordinatorKeys;
  /** `iss` of the coordinator's tickets; `undefined` until this node has been enrolled. */
  readonly issuer: () => string | undefined;
  /** Whether this node serves in a network now. */
  readonly serves: (network: NetworkId) => boolean;
  readonly nowMs: () => number;
};

type Good = Extract<Shown, { ok: true }>;

const MOST_KEPT = 4_096;
const TicketHeader = z.object({ kid: z.string().max(128) });

export function createTicketBook(options: TicketBookOptions): TicketBook {
  const { nodeId, keys, nowMs } = options;
  const good = new Map<string, Good>();
  const checking = new Map<string, Promise<Shown>>();

  function check(ticket: string): Shown | Promise<Shown> {
    const known = good.get(ticket);
    if (known === undefined) return checkFirst(ticket);
    const isOver = nowMs() / 1_000 > known.value.claims.exp + CLOCK_SKEW_S;
    return isOver ? { ok: false, reason: "ticket_expired" } : served(known);
  }

  function served(shown: Good): Shown {
    if (options.serves(shown.value.claims.net)) return shown;
    return { ok: false, reason: "ticket_other_network" };
  }

  async function checkFirst(ticket: string): Promise<Shown> {
    // A client's first requests come together and bring the same ticket.
    const pending = checking.get(ticket) ?? verify(ticket);
    checking.set(ticket, pending);
    try {
      const verified = await pending;
      return verified.ok ? served(verified) : verified;
    } finally {
      checking.delete(ticket);
    }
  }

  async function verify(ticket: string): Promise<Shown> {
    const issuer = options.issuer();
    if (issuer === undefined) return { ok: false, reason: "not_enrolled" };
    const header = readHeader(ticket, TicketHeader);
    if (header === undefined) return { ok: false, reason: "ticket_malformed" };
    const key = await keys.keyOf(header.kid);
    if (key === undefined) return { ok: false, reason: "ticket_unknown_key" };

    const verified = await verifyTicket(ticket, key, { issuer, nodeId, nowMs: nowMs() });
    if (!verified.ok) return { ok: false, reason: REASONS[verified.reason] };
    if (verified.value.rates[nodeId] === undefined) {
      return { ok: false, reason: "ticket_other_node" };
    }
    const shown: Good = { ok: true, value: { ticket, claims: verified.value } };
    keep(shown);
    return shown;
  }

  function keep(shown: Good): void {
    good.set(shown.value.ticket, shown);
    // The oldest first: a Map keeps the order in which its keys came.
    for (const oldest of good.keys()) {
      if (good.size <= MOST_KEPT) break;
      good.delete(oldest);
    }
  }

  return { check };
}

const REASONS: Readonly<Record<JwsRefusal["reason"], RefusalReason>> = {
  malformed: "ticket_malformed",
  wrong_type: "ticket_malformed",
  bad_claims: "ticket_malformed",
  bad_signature: "ticket_forged",
  expired: "ticket_expired",
  not_yet_valid: "ticket_not_yet_valid",
  wrong_audience: "ticket_other_node",
  wrong_issuer: "ticket_other_coordinator",
};
