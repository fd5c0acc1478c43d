import * as fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { AckClaims, signAck, verifyAck } from "#protocol/ack";
import { generatePrivateKey, type Identity, openIdentity } from "#protocol/identity";
import { ReceiptOutcome, signReceipt } from "#protocol/receipt";
import { bitFlip, flipBit, hash } from "./arbitraries";
import { boundsOf } from "./schema-bounds";

const DAY_MS = 86_400_000;
const NOW_MS = 1_800_000_000_000;
const NODE = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k";
const SAID = {
  lease: "7d4f1f86-3a0c-4b7b-9a52-6f0e4a1d2c3b",
  seq: 0,
  node: NODE,
  wall_ms: 4_400,
  ttft_ms: 200,
  prompt_tokens: 31,
  completion_tokens: 256,
  outcome: "completed",
  request_hash: "r".repeat(43),
  response_hash: "s".repeat(43),
} as const;

const durationMs = fc.integer({ min: 0, max: DAY_MS });
const tokens = fc.integer({ min: 0, max: 1_000_000_000 });
const acks = fc.record(
  {
    lease: fc.uuid(),
    seq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    node: fc.constant(NODE),
    wall_ms: durationMs,
    ttft_ms: durationMs,
    prompt_tokens: tokens,
    completion_tokens: tokens,
    outcome: fc.constantFrom(...ReceiptOutcome.options),
    request_hash: hash,
    response_hash: hash,
  },
  { requiredKeys: ["lease", "seq", "node", "wall_ms", "outcome", "request_hash"] },
);

let client: Identity;
let other: Identity;
beforeAll(async () => {
  client = await openIdentity(await generatePrivateKey());
  other = await openIdentity(await generatePrivateKey());
});

const verify = (ack: string, { publicKey, peerId }: Identity) =>
  verifyAck(ack, publicKey, peerId, NOW_MS);

boundsOf(
  "AckClaims",
  AckClaims,
  { ...SAID, iss: NODE },
  {
    optional: ["ttft_ms", "prompt_tokens", "completion_tokens", "response_hash"],
    integers: {
      seq: { min: 0, max: 2 ** 31 - 1 },
      wall_ms: { min: 0, max: DAY_MS },
      ttft_ms: { min: 0, max: DAY_MS },
      prompt_tokens: { min: 0, max: 1_000_000_000 },
      completion_tokens: { min: 0, max: 1_000_000_000 },
    },
    texts: { request_hash: { min: 43, max: 43 }, response_hash: { min: 43, max: 43 } },
    plain: ["iss", "lease", "node"],
    refuses: [
      ["an outcome that nobody knows", "outcome", "great"],
      ["a lease that is no UUID", "lease", "lease-1"],
    ],
  },
);

it("any ack comes back as its client signed it", async () => {
  await fc.assert(
    fc.asyncProperty(acks, async (said) => {
      const verified = await verify(await signAck(client, said), client);
      expect(verified).toEqual({ ok: true, value: { ...said, iss: client.peerId } });
    }),
  );
});

it("no client can sign an ack in another's name, and no receipt passes as one", async () => {
  const ack = await signAck(other, { ...SAID, iss: client.peerId } as typeof SAID);
  expect(await verify(ack, client)).toEqual({ ok: false, reason: "bad_signature" });
  expect(await verify(ack, other)).toMatchObject({ ok: true, value: { iss: other.peerId } });

  const both = { ...SAID, model: "m", engine: "ollama", started_at_ms: 1, queue_ms: 0 } as const;
  const receipt = await signReceipt(client, { ...both, engine_ms: 1 });
  expect(await verify(receipt, client)).toEqual({ ok: false, reason: "wrong_type" });
});

it("an ack with one bit changed, wherever, is refused and never throws", async () => {
  const ack = await signAck(client, SAID);
  await fc.assert(
    fc.asyncProperty(bitFlip, async (flip) => {
      expect((await verify(flipBit(ack, flip), client)).ok).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});
