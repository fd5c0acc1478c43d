import type { Authorization, Candidate } from "#protocol/authorize";
import { chargeFor } from "#protocol/microcredits";

/** A lease as its client uses it: numbers its requests and keeps count of what they may cost. */
export type Lease = {
  readonly model: string;
  readonly openedAtMs: number;
  readonly candidates: readonly Candidate[];
  ticket(): string;
  budget(): number;
  expiresAtMs(): number;
  /** The next request's number; each is used once. */
  nextSeq(): number;
  /** Starts counting a request on a node; the result ends it. */
  begin(rate: number): () => void;
  /** Microcredits that ended and running requests have cost, as far as this side can tell. */
  spent(): number;
  running(): number;
  /** A larger budget, a later end. */
  renewed(ticket: string, budget: number, expiresAtMs: number): void;
};

export function openLease(granted: Authorization, nowMs: () => number): Lease {
  let { ticket, budget } = granted;
  let expiresAtMs = granted.expires_at * 1_000;
  let seq = 0;
  let ended = 0;
  const running = new Set<{ readonly rate: number; readonly sinceMs: number }>();
  const costOf = ({ rate, sinceMs }: { rate: number; sinceMs: number }) =>
    chargeFor(Math.max(0, Math.round(nowMs() - sinceMs)), rate);

  return {
    model: granted.model,
    openedAtMs: nowMs(),
    candidates: granted.candidates,
    ticket: () => ticket,
    budget: () => budget,
    expiresAtMs: () => expiresAtMs,
    nextSeq: () => seq++,
    begin(rate) {
      const request = { rate, sinceMs: nowMs() };
      running.add(request);
      return () => {
        if (running.delete(request)) ended += costOf(request);
      };
    },
    spent: () => [...running].reduce((sum, request) => sum + costOf(request), ended),
    running: () => running.size,
    renewed(newTicket, newBudget, newExpiresAtMs) {
      ticket = newTicket;
      budget = newBudget;
      expiresAtMs = newExpiresAtMs;
    },
  };
}
