import { expect, it } from "vitest";
import type { Authorization } from "#protocol/authorize";
import { MAX_BATCH, type SubmitResult } from "#protocol/submit";
import { Problem } from "#protocol/problem";
import { useCoordinator } from "#support/coordinator";
import type { TestPeer } from "#support/test-peer";
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

/** The same bytes signed by this peer, whatever they say: its own library would not. */
const inNameOf = (liar: TestPeer, peer: TestPeer): TestPeer => ({
  ...liar,
  identity: { ...liar.identity, peerId: peer.identity.peerId },
});
const tampered = (jws: string) => {
  const [head, body = "", tail] = jws.split(".");
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as object;
  const changed = JSON.stringify({ ...claims, request_hash: "x".repeat(43) });
  return [head, Buffer.from(changed).toString("base64url"), tail].join(".");
};

type Bad = readonly [what: string, code: string, item: (scene: Scene) => Promise<string> | string];

const RECEIPTS: readonly Bad[] = [
  [
    "of a lease that no ticket here names",
    "ticket_missing",
    ({ node, granted }) => receiptOf(node, { ...granted, lease_id: crypto.randomUUID() }),
  ],
  [
    "of a lease whose ticket is forged",
    "ticket_invalid",
    ({ node, granted }) => receiptOf(node, { ...granted, lease_id: FORGED_LEASE }),
  ],
  ["of a foreign lease", "lease_other_node", ({ node, foreign }) => receiptOf(node, foreign)],
  [
    "of a foreign node",
    "receipt_bad_signature",
    ({ stranger, granted }) => receiptOf(stranger, granted),
  ],
  [
    "in a foreign node's name",
    "receipt_foreign",
    ({ node, stranger, granted }) => receiptOf(inNameOf(node, stranger), granted),
  ],
  [
    "signed with a wrong key",
    "receipt_bad_signature",
    ({ node, stranger, granted }) => receiptOf(inNameOf(stranger, node), granted),
  ],
  [
    "with a tampered hash",
    "receipt_bad_signature",
    async ({ node, granted }) => tampered(await receiptOf(node, granted)),
  ],
  [
    "of another model",
    "lease_other_model",
    ({ node, granted }) => receiptOf(node, { ...granted, model: "other" }),
  ],
  [
    "of a negative duration",
    "receipt_malformed",
    ({ node, granted }) => receiptOf(node, granted, { engine_ms: -1 }),
  ],
  [
    "of more than a day",
    "receipt_malformed",
    ({ node, granted }) => receiptOf(node, granted, { engine_ms: DAY_MS + 1 }),
  ],
  [
    "of 2^53 milliseconds",
    "receipt_malformed",
    ({ node, granted }) => receiptOf(node, granted, { engine_ms: 2 ** 53 }),
  ],
  [
    "of 2^64 tokens",
    "receipt_malformed",
    ({ node, granted }) => receiptOf(node, granted, { completion_tokens: 2 ** 64 }),
  ],
  [
    "of a request that starts in the future",
    "receipt_from_future",
    ({ node, granted }) => receiptOf(node, granted, { started_at_ms: Date.now() + 600_000 }),
  ],
  [
    "of a request before its lease",
    "receipt_outside_lease",
    ({ node, granted }) => receiptOf(node, granted, { started_at_ms: Date.now() - 3_600_000 }),
  ],
  ["that is none", "receipt_malformed", () => "not a receipt"],
  ["that is empty", "receipt_malformed", () => ""],
  ["of a megabyte's tenth", "receipt_malformed", () => "A".repeat(100_000)],
  [
    "that is an ack",
    "receipt_malformed",
    ({ client, node, granted }) => ackOf(inNameOf(node, client), node, granted),
  ],
];

const ACKS: readonly Bad[] = [
  [
    "of a lease that no ticket here names",
    "ticket_missing",
    ({ client, node }) => ackOf(client, node, { lease_id: crypto.randomUUID() }),
  ],
  [
    "of a lease whose ticket is forged",
    "ticket_invalid",
    ({ client, node }) => ackOf(client, node, { lease_id: FORGED_LEASE }),
  ],
  [
    "of a foreign lease",
    "lease_other_client",
    ({ client, stranger, foreign }) => ackOf(client, stranger, foreign),
  ],
  [
    "about a foreign node",
    "lease_other_node",
    ({ client, stranger, granted }) => ackOf(client, stranger, granted),
  ],
  [
    "signed by a foreign client",
    "ack_bad_signature",
    ({ node, stranger, granted }) => ackOf(stranger, node, granted),
  ],
  [
    "in a foreign client's name",
    "ack_foreign",
    ({ client, node, stranger, granted }) => ackOf(inNameOf(client, stranger), node, granted),
  ],
  [
    "with a tampered hash",
    "ack_bad_signature",
    async ({ client, node, granted }) => tampered(await ackOf(client, node, granted)),
  ],
  [
    "of a negative duration",
    "ack_malformed",
    ({ client, node, granted }) => ackOf(client, node, granted, { wall_ms: -1 }),
  ],
  [
    "of more than a day",
    "ack_malformed",
    ({ client, node, granted }) => ackOf(client, node, granted, { wall_ms: DAY_MS + 1 }),
  ],
  [
    "of 2^53 tokens",
    "ack_malformed",
    ({ client, node, granted }) => ackOf(client, node, granted, { completion_tokens: 2 ** 53 }),
  ],
  ["that is none", "ack_malformed", () => "not an ack"],
  ["that is a receipt", "ack_malformed", ({ client, granted }) => receiptOf(client, granted)],
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
  const receipts = [
    await receiptOf(node, granted, { seq: 1 }),
    await bad(set),
    await receiptOf(node, granted, { seq: 2 }),
  ];
  const settled: SubmitResult = { status: "settled", amount: 2_000 };
  const refused = { status: "refused", code };
  expect(await submit(node, ticketsOf(set), receipts)).toEqual([settled, refused, settled]);
  expect((await balance(client)).total).toBe("99.996");
});

it.each(ACKS)("refuses an ack %s as %s, and takes the rest", async (_what, code, bad) => {
  const set = await scene();
  const { client, node, granted } = set;
  const acks = [
    await ackOf(client, node, granted, { seq: 1 }),
    await bad(set),
    await ackOf(client, node, granted, { seq: 2 }),
  ];
  const kept = { status: "kept" };
  const refused = { status: "refused", code };
  expect(await submit(client, ticketsOf(set), { acks })).toEqual([kept, refused, kept]);
});

it("counts the first of duplicates inside a batch", async () => {
  const { node, client, granted } = await scene();
  const [first, second] = await Promise.all([
    receiptOf(node, granted),
    receiptOf(node, granted, { engine_ms: 1 }),
  ]);
  expect(await submit(node, [granted], [first, second, first])).toEqual([
    { status: "settled", amount: 2_000 },
    { status: "already_settled", amount: 2_000 },
    { status: "already_settled", amount: 2_000 },
  ]);
  const acks = await Promise.all([
    ackOf(client, node, granted),
    ackOf(client, node, granted, { wall_ms: 0 }),
  ]);
  expect(await submit(client, [granted], { acks })).toEqual([
    { status: "matched", amount: 2_000 },
    { status: "already_acked" },
  ]);
});

it("works on the first hundred of a batch of 10,000, and says so of each of the others", async () => {
  const { node, client, granted } = await scene();
  const good = await receiptOf(node, granted);
  const receipts = [good, ...Array.from({ length: 9_999 }, () => "x")];
  const results = await submit(node, [granted], receipts);
  expect(results).toHaveLength(10_000);
  expect(results[0]).toEqual({ status: "settled", amount: 2_000 });
  const codes = results.slice(1).map((result) => result.status === "refused" && result.code);
  expect(new Set(codes.slice(0, MAX_BATCH - 1))).toEqual(new Set(["receipt_malformed"]));
  expect(new Set(codes.slice(MAX_BATCH - 1))).toEqual(new Set(["batch_full"]));

  const ack = await ackOf(client, node, granted);
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
