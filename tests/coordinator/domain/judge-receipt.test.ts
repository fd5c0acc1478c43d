import { expect, it } from "vitest";
import { judgeAck } from "#coordinator/domain/judge-ack";
import { judgeReceipt, PAID_WITHIN_MS } from "#coordinator/domain/judge-receipt";
import type { AckClaims } from "#protocol/ack";
import type { ReceiptClaims } from "#protocol/receipt";
import type { TicketClaims } from "#protocol/ticket";

const NODE = "n".repeat(43);
const CLIENT = "c".repeat(43);
const HASH = "h".repeat(43);
const START_S = 1_900_000_000;
const START_MS = START_S * 1_000;
const END_MS = START_MS + 300_000;
const SKEW_MS = 30_000;

const ticket: TicketClaims = {
  iss: "https://coordinator.example",
  sub: "u1",
  cnf: { jkt: CLIENT },
  aud: [NODE],
  jti: "00000000-0000-4000-8000-000000000000",
  iat: START_S,
  nbf: START_S,
  exp: START_S + 300,
  net: "public",
  model: "m",
  rates: { [NODE]: 2_000_000 },
  budget: 10_000_000,
};
const receipt: ReceiptClaims = {
  lease: ticket.jti,
  seq: 0,
  model: "m",
  engine: "ollama",
  started_at_ms: START_MS + 10_000,
  queue_ms: 0,
  engine_ms: 5_000,
  outcome: "completed",
  request_hash: HASH,
};
const ack: AckClaims = {
  lease: ticket.jti,
  seq: 0,
  node: NODE,
  wall_ms: 5_000,
  outcome: "completed",
  request_hash: HASH,
};

const judged = (changes: Partial<ReceiptClaims>, nowMs: number = START_MS + 60_000) =>
  judgeReceipt({ ...receipt, ...changes }, NODE, ticket, nowMs);
const claimOf = (changes: Partial<ReceiptClaims>, nowMs?: number): unknown => {
  const one = judged(changes, nowMs);
  return one.ok ? one.value.claim : one.reason;
};

it("claims the engine's time at the ticket's rate", () => {
  expect(judged({})).toEqual({ ok: true, value: { claim: 10_000_000, rate: 2_000_000 } });
});

it("bounds the claim by the time since the ticket and since the start, by the coordinator's clock", () => {
  const started_at_ms = START_MS - SKEW_MS;
  expect(claimOf({ engine_ms: 86_400_000, started_at_ms }, START_MS + 7_000)).toBe(14_000_000);
  expect(claimOf({ engine_ms: 86_400_000 }, START_MS + 12_000)).toBe(24_000_000);
  const late = { engine_ms: 86_400_000, started_at_ms: START_MS + 55_000 };
  expect(claimOf(late, START_MS + 60_000)).toBe((5_000 + SKEW_MS) * 2_000);
  expect(claimOf({}, START_MS - 5_000)).toBe(0);
});

it("takes a request that began under the ticket, and for 14 days after that", () => {
  const within = [START_MS - SKEW_MS, END_MS + SKEW_MS];
  for (const started_at_ms of within) {
    expect(claimOf({ started_at_ms }, END_MS + SKEW_MS)).toEqual(expect.any(Number));
  }
  for (const started_at_ms of [START_MS - SKEW_MS - 1, END_MS + SKEW_MS + 1]) {
    expect(claimOf({ started_at_ms }, END_MS + SKEW_MS)).toBe("receipt_outside_lease");
  }
  const nowMs = START_MS + 60_000;
  expect(claimOf({ started_at_ms: nowMs + SKEW_MS + 1 }, nowMs)).toBe("receipt_from_future");
  expect(claimOf({}, END_MS + PAID_WITHIN_MS)).toBe(10_000_000);
  expect(claimOf({}, END_MS + PAID_WITHIN_MS + 1)).toBe("receipt_too_late");
});

it("refuses a node that the ticket does not name, and another model", () => {
  const byOther = judgeReceipt(receipt, "x".repeat(43), ticket, START_MS + 60_000);
  expect(byOther).toEqual({ ok: false, reason: "lease_other_node" });
  expect(claimOf({ model: "other" })).toBe("lease_other_model");
});

it("takes an ack of the lease's client about one of its nodes, as long as its receipt may come", () => {
  const judge = (changes: Partial<AckClaims>, nowMs: number = START_MS, client = CLIENT) => {
    const one = judgeAck({ ...ack, ...changes }, client, ticket, nowMs);
    return one.ok ? "taken" : one.reason;
  };
  expect(judge({})).toBe("taken");
  expect(judge({}, START_MS, "x".repeat(43))).toBe("lease_other_client");
  expect(judge({ node: "x".repeat(43) })).toBe("lease_other_node");
  expect(judge({}, END_MS + PAID_WITHIN_MS)).toBe("taken");
  expect(judge({}, END_MS + PAID_WITHIN_MS + 1)).toBe("too_late");
});
