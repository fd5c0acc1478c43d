import { withPayload } from "./vector-forge";
import { NODE, OTHER_NODE, sha256 } from "./vector-keys";
import {
  attacks,
  type Claims,
  forged,
  type Kind,
  misshapen,
  missing,
  NOW_MS,
  NOW_S,
  refusal,
} from "./vector-tokens";
import type { VectorCase, VectorFile } from "./vector-case";

const DAY_MS = 86_400_000;

/** All but `iss`, which signing adds at the end. */
const SAID = {
  lease: "7d4f1f86-3a0c-4b7b-9a52-6f0e4a1d2c3b",
  seq: 3,
  model: "llama3.1:8b",
  engine: "ollama",
  started_at_ms: NOW_MS - 5_000,
  queue_ms: 12,
  ttft_ms: 180,
  engine_ms: 4_321,
  prompt_tokens: 31,
  completion_tokens: 256,
  outcome: "completed",
  request_hash: sha256("request"),
  response_hash: sha256("response"),
};

/** What nothing came back of. */
const BARE = {
  lease: SAID.lease,
  seq: 0,
  model: SAID.model,
  engine: "openai",
  started_at_ms: SAID.started_at_ms,
  queue_ms: 0,
  engine_ms: 0,
  outcome: "engine_error",
  request_hash: SAID.request_hash,
};

const RECEIPT: Kind = {
  what: "a receipt",
  typ: "troop-receipt+jwt",
  header: {},
  claims: { ...SAID, iss: NODE.peerId },
  key: NODE,
  verify: (name, jws, expect) => verify(name, jws, expect),
};

const BARE_RECEIPT: Kind = { ...RECEIPT, claims: { ...BARE, iss: NODE.peerId } };

export function receiptVectors(): VectorFile {
  const late = { now_ms: NOW_MS + 365 * DAY_MS };
  return {
    about:
      "Receipts: what a node says of one request that it served. Whether the lease is its own, and what it pays, is the coordinator's to check.",
    cases: [
      signed("signs a receipt", SAID, RECEIPT),
      signed("signs a receipt of a request that nothing came back of", BARE, BARE_RECEIPT),
      verify("takes a receipt of this node", forged(RECEIPT), ok(RECEIPT)),
      verify(
        "takes a receipt with no more than it must hold",
        forged(BARE_RECEIPT),
        ok(BARE_RECEIPT),
      ),
      verify("takes a receipt a year late", forged(RECEIPT), ok(RECEIPT), late),
      verify(
        "leaves out claims that it does not know",
        forged(RECEIPT, { credits: 9 }),
        ok(RECEIPT),
      ),
      ...attacks(RECEIPT),
      ...elsewhere(),
      ...shapes(),
    ],
  };
}

function signed(name: string, claims: Claims, kind: Kind): VectorCase {
  const input = { private_key: NODE.privateKey, claims };
  return { name, op: "sign_receipt", input, expect: forged(kind) };
}

function verify(
  name: string,
  jws: VectorCase["expect"],
  expect: VectorCase["expect"],
  changes: Claims = {},
): VectorCase {
  const input = {
    jws,
    public_key: NODE.publicKey,
    issuer: NODE.peerId,
    now_ms: NOW_MS,
    ...changes,
  };
  return { name, op: "verify_receipt", input, expect };
}

function ok(kind: Kind): Claims {
  return { ok: true, value: kind.claims };
}

function elsewhere(): VectorCase[] {
  const jws = forged(RECEIPT);
  const other = { public_key: OTHER_NODE.publicKey, issuer: OTHER_NODE.peerId };
  const longer = withPayload(jws, { ...RECEIPT.claims, engine_ms: 5_000 });
  return [
    verify("refuses a node's receipt as another node's", jws, refusal("bad_signature"), other),
    verify(
      "refuses a receipt whose iss is another node",
      forged(RECEIPT, { iss: OTHER_NODE.peerId }),
      refusal("wrong_issuer"),
    ),
    verify(
      "refuses a receipt with no iss",
      forged(RECEIPT, { iss: undefined }),
      refusal("wrong_issuer"),
    ),
    verify("refuses a receipt made longer after signing", longer, refusal("bad_signature")),
    verify(
      "refuses a receipt that its node let expire",
      forged(RECEIPT, { exp: NOW_S - 30 }),
      refusal("expired"),
    ),
  ];
}

function shapes(): VectorCase[] {
  const required = [
    "lease",
    "seq",
    "model",
    "engine",
    "started_at_ms",
    "queue_ms",
    "engine_ms",
    "outcome",
    "request_hash",
  ];
  const durations = ["queue_ms", "ttft_ms", "engine_ms"].flatMap((field) => [
    [`a negative ${field}`, { [field]: -1 }, field] as const,
    [`a ${field} of more than a day`, { [field]: DAY_MS + 1 }, field] as const,
    [`a fraction in ${field}`, { [field]: 0.5 }, field] as const,
  ]);
  const tokens = ["prompt_tokens", "completion_tokens"].flatMap((field) => [
    [`negative ${field}`, { [field]: -1 }, field] as const,
    [`more than a billion ${field}`, { [field]: 1_000_000_001 }, field] as const,
  ]);
  return [
    ...missing(RECEIPT, required),
    ...misshapen(RECEIPT, [
      ...durations,
      ...tokens,
      ["a lease that is no UUID", { lease: "lease" }, "lease"],
      ["a negative number", { seq: -1 }, "seq"],
      ["a number of 2^31", { seq: 2 ** 31 }, "seq"],
      ["an empty model", { model: "" }, "model"],
      ["a line break in its model", { model: "a\nb" }, "model"],
      ["an engine that nobody knows", { engine: "excel" }, "engine"],
      ["a start at zero", { started_at_ms: 0 }, "started_at_ms"],
      ["a start above 2^53", { started_at_ms: 2 ** 53 }, "started_at_ms"],
      ["an outcome that nobody knows", { outcome: "great" }, "outcome"],
      [
        "a request hash of 42 characters",
        { request_hash: SAID.request_hash.slice(1) },
        "request_hash",
      ],
      [
        "a response hash of 44 characters",
        { response_hash: `A${SAID.response_hash}` },
        "response_hash",
      ],
      ["null for tokens that nobody counted", { prompt_tokens: null }, "prompt_tokens"],
    ]),
  ];
}
