import { expect, it } from "vitest";
import type { Authorization } from "#protocol/authorize";
import { MAX_BATCH, type SubmitResult } from "#protocol/submit";
import { Problem } from "#protocol/problem";
import { hashBody } from "#protocol/proof";
import { useCoordinator } from "#support/coordinator";
import { type Member, membersOf } from "./members";

const coordinator = useCoordinator({ STARTER_CREDITS: "100" });
const { ackOf, authorize, balance, join, receiptOf, serve, submit } = membersOf(coordinator);

const DAY_MS = 86_400_000;

type Scene = {
  readonly node: Member;
  readonly client: Member;
  readonly granted: Authorization;
  /** Another client's lease with another node, for another model. */
  readonly foreign: Authorization;
  readonly stranger: Member;
};

let scenes = 0;
async function scene(): Promise<Scene> {
  const model = `refusal/${++scenes}`;
  const node = await serve(model);
  const stranger = await serve(`${model}-foreign`);
  const client = await join();
  const granted = await authorize(client, { model, budget: 10_000_000 });
  const foreign = await authorize(await join(), { model: `${model}-foreign` });
  return { node, client, granted, foreign, stranger };
}

type Bad = readonly [what: string, code: string, item: (scene: Scene) => unknown];

const RECEIPTS: readonly Bad[] = [
  [
    "of a lease that no ticket here names",
    "ticket_missing",
    ({ granted }) => receiptOf({ ...granted, lease_id: crypto.randomUUID() }),
  ],
  [
    "of a lease whose ticket is forged",
    "ticket_invalid",
    ({ granted }) => receiptOf({ ...granted, lease_id: FORGED_LEASE }),
  ],
  ["of a foreign lease", "lease_other_node", ({ foreign }) => receiptOf(foreign)],
  [
    "of another model",
    "lease_other_model",
    ({ granted }) => receiptOf({ ...granted, model: "other" }),
  ],
  [
    "of a negative duration",
    "receipt_malformed",
    ({ granted }) => receiptOf(granted, { engine_ms: -1 }),
  ],
  [
    "of more than a day",
    "receipt_malformed",
    ({ granted }) => receiptOf(granted, { engine_ms: DAY_MS + 1 }),
  ],
  [
    "of 2^53 milliseconds",
    "receipt_malformed",
    ({ granted }) => receiptOf(granted, { engine_ms: 2 ** 53 }),
  ],
  [
    "of 2^64 tokens",
    "receipt_malformed",
    ({ granted }) => receiptOf(granted, { completion_tokens: 2 ** 64 }),
  ],
  [
    "of a request that starts in the future",
    "receipt_from_future",
    ({ granted }) => receiptOf(granted, { started_at_ms: Date.now() + 600_000 }),
  ],
  [
    "of a request before its lease",
    "receipt_outside_lease",
    ({ granted }) => receiptOf(granted, { started_at_ms: Date.now() - 3_600_000 }),
  ],
  ["that is none", "receipt_malformed", () => "not a receipt"],
  ["that is empty", "receipt_malformed", () => ""],
  ["of a megabyte's tenth", "receipt_malformed", () => "A".repeat(100_000)],
  ["that is nothing", "receipt_malformed", () => null],
  ["that is a list", "receipt_malformed", ({ granted }) => [receiptOf(granted)]],
  ["that is an ack", "receipt_malformed", ({ node, granted }) => ackOf(node, granted)],
];

const ACKS: readonly Bad[] = [
  [
    "of a lease that no ticket here names",
    "ticket_missing",
    ({ node }) => ackOf(node, { lease_id: crypto.randomUUID() }),
  ],
  [
    "of a lease whose ticket is forged",
    "ticket_invalid",
    ({ node }) => ackOf(node, { lease_id: FORGED_LEASE }),
  ],
  ["of a foreign lease", "lease_other_client", ({ stranger, foreign }) => ackOf(stranger, foreign)],
  ["about a foreign node", "lease_other_node", ({ stranger, granted }) => ackOf(stranger, granted)],
  [
    "of a negative duration",
    "ack_malformed",
    ({ node, granted }) => ackOf(node, granted, { wall_ms: -1 }),
  ],
  [
    "of more than a day",
    "ack_malformed",
    ({ node, granted }) => ackOf(node, granted, { wall_ms: DAY_MS + 1 }),
  ],
  [
    "of 2^53 tokens",
    "ack_malformed",
    ({ node, granted }) => ackOf(node, granted, { completion_tokens: 2 ** 53 }),
  ],
  ["that is none", "ack_malformed", () => "not an ack"],
  ["that is a receipt", "ack_malformed", ({ granted }) => receiptOf(granted)],
];

const FORGED_LEASE = crypto.randomUUID();
/** A ticket of nobody's for that lease. */
const FORGED_TICKET = [
  Buffer.from(JSON.stringify({ alg: "EdDSA", typ: "troop-ticket+jwt" })).toString("base64url"),
  Buffer.from(JSON.stringify({ jti: FORGED_LEASE })).toString("base64url"),
  `${"A".repeat(85)}A`,
].join(".");

const ticketsOf = ({ granted, foreign }: Scene) => [
  granted,
  foreign,
  { ...granted, ticket: FORGED_TICKET },
];

it.each(RECEIPTS)("refuses a receipt %s as %s, and settles the rest", async (_what, code, bad) => {
  const set = await scene();
  const { node, granted, client } = set;
  const receipts = [receiptOf(granted, { seq: 1 }), bad(set), receiptOf(granted, { seq: 2 })];
  const settled: SubmitResult = { status: "settled", amount: 2_000 };
  const refused = { status: "refused", code };
  expect(await submit(node, ticketsOf(set), receipts)).toEqual([settled, refused, settled]);
  expect((await balance(client)).total).toBe("99.996");
});

it.each(ACKS)("refuses an ack %s as %s, and takes the rest", async (_what, code, bad) => {
  const set = await scene();
  const { client, node, granted } = set;
  const acks = [ackOf(node, granted, { seq: 1 }), bad(set), ackOf(node, granted, { seq: 2 })];
  const kept = { status: "kept" };
  const refused = { status: "refused", code };
  expect(await submit(client, ticketsOf(set), { acks })).toEqual([kept, refused, kept]);
});

it("takes a node's word for its own requests only, and a client's for its own leases", async () => {
  const { node, client, stranger, granted } = await scene();
  const receipt = receiptOf(granted);
  const refused = (code: string) => [{ status: "refused", code }];
  for (const other of [stranger, client]) {
    expect(await submit(other, [granted], [receipt])).toEqual(refused("lease_other_node"));
  }
  const acks = [ackOf(node, granted)];
  for (const other of [stranger, node]) {
    expect(await submit(other, [granted], { acks })).toEqual(refused("lease_other_client"));
  }
  expect((await balance(client)).total).toBe("100");
});

it("settles nothing of a batch that was changed behind its proof, or that another key proves", async () => {
  const { node, client, stranger, granted } = await scene();
  const path = "/transactions/submit";
  const batchOf = (hash: string) => ({
    tickets: [granted.ticket],
    receipts: [receiptOf(granted, { request_hash: hash.repeat(43) })],
  });
  const [said, changed] = [batchOf("s"), batchOf("t")];
  const bodyHash = await hashBody(JSON.stringify(said));
  const tampered = await node.call(path, { body: changed, proof: { bodyHash } });
  expect(Problem.parse(await tampered.json()).code).toBe("proof_invalid");
  const forger = { ...stranger.identity, peerId: node.identity.peerId };
  const forged = await node.call(path, { body: said, proof: { identity: forger } });
  expect(Problem.parse(await forged.json()).code).toBe("proof_invalid");
  expect((await balance(client)).total).toBe("100");
});

it("counts the first of duplicates inside a batch", async () => {
  const { node, client, granted } = await scene();
  const [first, second] = [receiptOf(granted), receiptOf(granted, { engine_ms: 1 })];
  expect(await submit(node, [granted], [first, second, first])).toEqual([
    { status: "settled", amount: 2_000 },
    { status: "already_settled", amount: 2_000 },
    { status: "already_settled", amount: 2_000 },
  ]);
  const acks = [ackOf(node, granted), ackOf(node, granted, { wall_ms: 0 })];
  expect(await submit(client, [granted], { acks })).toEqual([
    { status: "matched", amount: 2_000 },
    { status: "already_acked" },
  ]);
});

it("works on the first hundred of a batch of 10,000, and says so of each of the others", async () => {
  const { node, client, granted } = await scene();
  const good = receiptOf(granted);
  const receipts = [good, ...Array.from({ length: 9_999 }, () => "x")];
  const results = await submit(node, [granted], receipts);
  expect(results).toHaveLength(10_000);
  expect(results[0]).toEqual({ status: "settled", amount: 2_000 });
  const codes = results.slice(1).map((result) => result.status === "refused" && result.code);
  expect(new Set(codes.slice(0, MAX_BATCH - 1))).toEqual(new Set(["receipt_malformed"]));
  expect(new Set(codes.slice(MAX_BATCH - 1))).toEqual(new Set(["batch_full"]));

  const ack = ackOf(node, granted);
  const both = { receipts: receipts.slice(0, 99), acks: [ack, ack] };
  expect((await submit(client, [granted], both)).slice(99)).toEqual([
    { status: "matched", amount: 2_000 },
    { status: "refused", code: "batch_full" },
  ]);
});

it("refuses a body that is too large to read, whole", async () => {
  const { node, granted } = await scene();
  const receipts = Array.from({ length: 2_000 }, () => "x".repeat(1_000));
  const body = { tickets: [granted.ticket], receipts };
  const answer = await node.call("/transactions/submit", { body });
  expect(Problem.parse(await answer.json())).toMatchObject({ status: 413, code: "body_too_large" });
});
