import { expect, it } from "vitest";
import { ReceiptClaims } from "#protocol/receipt";
import { MAX_BATCH, MAX_BODY_BYTES, MAX_TICKET_LENGTH } from "#protocol/submit";
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

boundsOf("ReceiptClaims", ReceiptClaims, SAID, {
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
  plain: ["lease", "model"],
  refuses: [
    ["an engine that nobody knows", "engine", "excel"],
    ["an outcome that nobody knows", "outcome", "great"],
    ["a lease that is no UUID", "lease", "lease-1"],
  ],
});

it("the largest batch that is worked on fits into a body", () => {
  const longest = ReceiptClaims.parse({
    ...SAID,
    seq: 2 ** 31 - 1,
    model: "猿".repeat(256),
    started_at_ms: Number.MAX_SAFE_INTEGER,
    queue_ms: DAY_MS,
    ttft_ms: DAY_MS,
    engine_ms: DAY_MS,
    prompt_tokens: 1_000_000_000,
    completion_tokens: 1_000_000_000,
    outcome: "budget_exhausted",
  });
  const batchOf = (item: unknown): unknown[] => Array.from({ length: MAX_BATCH }, () => item);
  const tickets = batchOf("t".repeat(MAX_TICKET_LENGTH));
  const body = JSON.stringify({ tickets, receipts: batchOf(longest) });
  expect(new TextEncoder().encode(body).length).toBeLessThan(MAX_BODY_BYTES);
});
