import fc from "fast-check";
import { type Ack, PEERS, PEOPLE, type Receipt, type When } from "./ledger-world";

/** One thing that can happen to a ledger, from outside. */
export type Movement =
  | { kind: "hold"; peer: number; lease: number; budget: number }
  | { kind: "extend"; peer: number; lease: number; add: number; key: number }
  | { kind: "settle"; receipts: Receipt[]; acks: Ack[]; when: When }
  | { kind: "void"; lease: number }
  | { kind: "expire"; user: number }
  | { kind: "release"; user: number }
  | { kind: "link"; peer: number; person: number }
  | { kind: "revoke"; peer: number; person: number };

const peer = fc.nat({ max: PEERS.length - 1 });
const person = fc.constantFrom(...PEOPLE);
const user = fc.constantFrom(...PEERS, ...PEOPLE);
// Few of each, so that movements meet: replays, races, acks before receipts, receipts after the end.
const lease = fc.nat({ max: 4 });
const seq = fc.nat({ max: 1 });
const amount = fc.integer({ min: 1, max: 4_000_000 });
const ms = fc.oneof(fc.nat({ max: 4_000 }), fc.constantFrom(0, 1_000, 1_001, 1_530));
const request = {
  node: peer,
  lease,
  seq,
  promptTokens: fc.option(fc.nat({ max: 2_000 }), { nil: undefined }),
  completionTokens: fc.option(fc.nat({ max: 200 }), { nil: undefined }),
  outcome: fc.constantFrom("completed", "completed", "cancelled"),
  requestHash: fc.constantFrom("q", "q", "q", "other"),
  responseHash: fc.constantFrom("s", "s", "s", "other", undefined),
};
const receipt: fc.Arbitrary<Receipt> = fc.record({ ...request, engineMs: ms });
const ack: fc.Arbitrary<Ack> = fc.record({ ...request, client: peer, wallMs: ms });

export const movement: fc.Arbitrary<Movement> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("hold" as const), peer, lease, budget: amount }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("extend" as const),
      peer,
      lease,
      add: amount,
      key: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      receipts: fc.array(receipt, { maxLength: 5 }),
      acks: fc.array(ack, { maxLength: 5 }),
      when: fc.constantFrom("soon" as const, "soon" as const, "late" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("void" as const), lease }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("expire" as const), user }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release" as const), user }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("link" as const), peer, person }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("revoke" as const), peer, person }),
  },
);
