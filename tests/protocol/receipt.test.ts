import * as fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { generatePrivateKey, type Identity, openIdentity } from "#protocol/identity";
import { EngineKind } from "#protocol/model-offer";
import { MAX_ITEM_LENGTH } from "#protocol/submit";
import { ReceiptClaims, ReceiptOutcome, signReceipt, verifyReceipt } from "#protocol/receipt";
import { bitFlip, flipBit, hash, modelId } from "./arbitraries";
import { boundsOf } from "./schema-bounds";

const DAY_MS = 86_400_000;
const SAID = {
  lease: "7d4f1f86-3a0c-4b7b-9a52-6f0e4a1d2c3b",
  seq: 0,
  model: "llama3.1:8b",
  engine: "ollama",
  started_at_ms: 1_800_000_000_000,
  queue_ms: 0,
  ttft_ms: 180,
  engine_ms: 4_321,
  prompt_tokens: 31,
  completion_tokens: 256,
  outcome: "completed",
  request_hash: "r".repeat(43),
  response_hash: "s".repeat(43),
} as const;

const durationMs = fc.integer({ min: 0, max: DAY_MS });
const tokens = fc.integer({ min: 0, max: 1_000_000_000 });
const receipts = fc.record(
  {
    lease: fc.uuid(),
    seq: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    model: modelId,
    engine: fc.constantFrom(...EngineKind.options),
    started_at_ms: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    queue_ms: durationMs,
    ttft_ms: durationMs,
    engine_ms: durationMs,
    prompt_tokens: tokens,
    completion_tokens: tokens,
    outcome: fc.constantFrom(...ReceiptOutcome.options),
    request_hash: hash,
    response_hash: hash,
  },
  {
    requiredKeys: [
      "lease",
      "seq",
      "model",
      "engine",
      "started_at_ms",
      "queue_ms",
      "engine_ms",
      "outcome",
      "request_hash",
    ],
  },
);

let node: Identity;
let other: Identity;
beforeAll(async () => {
  node = await openIdentity(await generatePrivateKey());
  other = await openIdentity(await generatePrivateKey());
});

const verify = (receipt: string, { publicKey, peerId }: Identity) =>
  verifyReceipt(receipt, publicKey, peerId, SAID.started_at_ms);

boundsOf(
  "ReceiptClaims",
  ReceiptClaims,
  { ...SAID, iss: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" },
  {
    optional: ["ttft_ms", "prompt_tokens", "completion_tokens", "response_hash"],
    integers: {
      seq: { min: 0, max: 2 ** 31 - 1 },
      started_at_ms: { min: 1, max: Number.MAX_SAFE_INTEGER },
      queue_ms: { min: 0, max: DAY_MS },
      ttft_ms: { min: 0, max: DAY_MS },
      engine_ms: { min: 0, max: DAY_MS },
      prompt_tokens: { min: 0, max: 1_000_000_000 },
      completion_tokens: { min: 0, max: 1_000_000_000 },
    },
    texts: {
      model: { min: 1, max: 256 },
      request_hash: { min: 43, max: 43 },
      response_hash: { min: 43, max: 43 },
    },
    plain: ["iss", "lease", "model"],
    refuses: [
      ["an engine that nobody knows", "engine", "excel"],
      ["an outcome that nobody knows", "outcome", "great"],
      ["a lease that is no UUID", "lease", "lease-1"],
    ],
  },
);

it("any receipt comes back as its node signed it", async () => {
  await fc.assert(
    fc.asyncProperty(receipts, async (said) => {
      const verified = await verify(await signReceipt(node, said), node);
      expect(verified).toEqual({ ok: true, value: { ...said, iss: node.peerId } });
    }),
  );
});

it("no node can sign a receipt in another's name", async () => {
  const receipt = await signReceipt(other, { ...SAID, iss: node.peerId } as typeof SAID);
  expect(await verify(receipt, node)).toEqual({ ok: false, reason: "bad_signature" });
  expect(await verify(receipt, other)).toMatchObject({ ok: true, value: { iss: other.peerId } });
});

it("a receipt with one bit changed, wherever, is refused and never throws", async () => {
  const receipt = await signReceipt(node, SAID);
  await fc.assert(
    fc.asyncProperty(bitFlip, async (flip) => {
      expect((await verify(flipBit(receipt, flip), node)).ok).toBe(false);
    }),
    { numRuns: 1_000 },
  );
});

it("the longest receipt that its schema takes fits into a batch", async () => {
  const { MAX_SAFE_INTEGER } = Number;
  const longest = {
    ...SAID,
    seq: 2 ** 31 - 1,
    model: "猿".repeat(256),
    started_at_ms: MAX_SAFE_INTEGER,
    queue_ms: DAY_MS,
    ttft_ms: DAY_MS,
    engine_ms: DAY_MS,
    prompt_tokens: 1_000_000_000,
    completion_tokens: 1_000_000_000,
    outcome: "budget_exhausted",
  } as const;
  const receipt = await signReceipt(node, longest);
  expect(receipt.length).toBeLessThanOrEqual(MAX_ITEM_LENGTH);
});
