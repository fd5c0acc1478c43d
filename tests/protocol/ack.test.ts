import { AckClaims } from "#protocol/ack";
import { boundsOf } from "./schema-bounds";

const DAY_MS = 86_400_000;
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

boundsOf("AckClaims", AckClaims, SAID, {
  optional: ["ttft_ms", "prompt_tokens", "completion_tokens", "response_hash"],
  integers: {
    seq: { min: 0, max: 2 ** 31 - 1 },
    wall_ms: { min: 0, max: DAY_MS },
    ttft_ms: { min: 0, max: DAY_MS },
    prompt_tokens: { min: 0, max: 1_000_000_000 },
    completion_tokens: { min: 0, max: 1_000_000_000 },
  },
  texts: { request_hash: { min: 43, max: 43 }, response_hash: { min: 43, max: 43 } },
  plain: ["lease", "node"],
  refuses: [
    ["an outcome that nobody knows", "outcome", "great"],
    ["a lease that is no UUID", "lease", "lease-1"],
  ],
});
