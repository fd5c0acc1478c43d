import type { VectorCase, VectorFile } from "./vector-case";
import { NODE, sha256 } from "./vector-keys";
import { type Claims, NOW_MS } from "./vector-tokens";

const DAY_MS = 86_400_000;

type Kind = {
  /** `a receipt`, `an ack`, for the names. */
  readonly what: string;
  readonly op: string;
  readonly said: Claims;
  /** Fields that may be absent. */
  readonly optional: readonly string[];
  readonly durations: readonly string[];
  readonly wrong: readonly (readonly [what: string, changes: Claims, field: string])[];
};

const COMMON: Claims = {
  lease: "7d4f1f86-3a0c-4b7b-9a52-6f0e4a1d2c3b",
  seq: 3,
  ttft_ms: 180,
  prompt_tokens: 31,
  completion_tokens: 256,
  outcome: "completed",
  request_hash: sha256("request"),
  response_hash: sha256("response"),
};
const OPTIONAL = ["ttft_ms", "prompt_tokens", "completion_tokens", "response_hash"];

const RECEIPT: Kind = {
  what: "a receipt",
  op: "parse_receipt",
  said: {
    ...COMMON,
    model: "llama3.1:8b",
    engine: "ollama",
    started_at_ms: NOW_MS - 5_000,
    queue_ms: 12,
    engine_ms: 4_321,
  },
  optional: OPTIONAL,
  durations: ["queue_ms", "ttft_ms", "engine_ms"],
  wrong: [
    ["an empty model", { model: "" }, "model"],
    ["a line break in its model", { model: "a\nb" }, "model"],
    ["an engine that nobody knows", { engine: "excel" }, "engine"],
    ["a start at zero", { started_at_ms: 0 }, "started_at_ms"],
    ["a start above 2^53", { started_at_ms: 2 ** 53 }, "started_at_ms"],
  ],
};

const ACK: Kind = {
  what: "an ack",
  op: "parse_ack",
  said: { ...COMMON, node: NODE.peerId, wall_ms: 4_400 },
  optional: OPTIONAL,
  durations: ["wall_ms", "ttft_ms"],
  wrong: [["a node that is no peer id", { node: "node" }, "node"]],
};

export function receiptVectors(): VectorFile {
  return {
    about:
      "Receipts: what a node says of one request that it served. The proof of the call that brings it signs it. Whether the lease is its own, and what it pays, is the coordinator's to check.",
    cases: claimsCases(RECEIPT),
  };
}

export function ackVectors(): VectorFile {
  return {
    about:
      "Acks: what a client says of one request that it sent. The proof of the call that brings it signs it. Whether the lease is its own, and whether the node's receipt agrees, is the coordinator's to check.",
    cases: claimsCases(ACK),
  };
}

function claimsCases(kind: Kind): VectorCase[] {
  const { what, op, said, optional } = kind;
  const without = (names: readonly string[]): Claims =>
    Object.fromEntries(Object.entries(said).filter(([name]) => !names.includes(name)));
  const taken = (name: string, claims: Claims, expect: Claims = claims): VectorCase => ({
    name,
    op,
    input: { claims },
    expect,
  });
  const refused = (how: string, claims: VectorCase["expect"], field: string): VectorCase => ({
    name: `refuses ${what} ${how}`,
    op,
    input: { claims },
    expect: { refused: field },
  });
  const required = Object.keys(said).filter((name) => !optional.includes(name));
  return [
    taken(`takes ${what}`, said),
    taken(`takes ${what} with no more than it must hold`, without(optional)),
    taken("leaves out what it does not know", { ...said, iss: NODE.peerId, credits: 9 }, said),
    refused("that is a text", "claims", ""),
    refused("that is a list", [said], ""),
    refused("that is null", null, ""),
    ...required.map((name) => refused(`without ${name}`, without([name]), name)),
    ...[...wrongNumbers(kind.durations), ...WRONG, ...kind.wrong].map(([how, changes, field]) =>
      refused(`with ${how}`, { ...said, ...changes }, field),
    ),
  ];
}

const WRONG: Kind["wrong"] = [
  ["a lease that is no UUID", { lease: "lease" }, "lease"],
  ["a negative number", { seq: -1 }, "seq"],
  ["a number of 2^31", { seq: 2 ** 31 }, "seq"],
  ["an outcome that nobody knows", { outcome: "great" }, "outcome"],
  ["a request hash of 42 characters", { request_hash: sha256("x").slice(1) }, "request_hash"],
  ["a response hash of 44 characters", { response_hash: `A${sha256("x")}` }, "response_hash"],
  ["null for tokens that nobody counted", { prompt_tokens: null }, "prompt_tokens"],
];

function wrongNumbers(durations: readonly string[]): Kind["wrong"] {
  return [
    ...durations.flatMap((field) => [
      [`a negative ${field}`, { [field]: -1 }, field] as const,
      [`a ${field} of more than a day`, { [field]: DAY_MS + 1 }, field] as const,
      [`a fraction in ${field}`, { [field]: 0.5 }, field] as const,
    ]),
    ...["prompt_tokens", "completion_tokens"].flatMap((field) => [
      [`negative ${field}`, { [field]: -1 }, field] as const,
      [`more than a billion ${field}`, { [field]: 1_000_000_001 }, field] as const,
    ]),
  ];
}
