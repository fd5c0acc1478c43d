import { withPayload } from "./vector-forge";
import { CLIENT, NODE, OTHER_NODE, sha256, STRANGER } from "./vector-keys";
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
  node: NODE.peerId,
  wall_ms: 4_400,
  ttft_ms: 200,
  prompt_tokens: 31,
  completion_tokens: 256,
  outcome: "completed",
  request_hash: sha256("request"),
  response_hash: sha256("response"),
};

/** Of a request to which nothing came back. */
const BARE = {
  lease: SAID.lease,
  seq: 0,
  node: NODE.peerId,
  wall_ms: 0,
  outcome: "cancelled",
  request_hash: SAID.request_hash,
};

const ACK: Kind = {
  what: "an ack",
  typ: "troop-ack+jwt",
  header: {},
  claims: { ...SAID, iss: CLIENT.peerId },
  key: CLIENT,
  verify: (name, jws, expect) => verify(name, jws, expect),
};

const BARE_ACK: Kind = { ...ACK, claims: { ...BARE, iss: CLIENT.peerId } };

export function ackVectors(): VectorFile {
  const late = { now_ms: NOW_MS + 365 * DAY_MS };
  return {
    about:
      "Acks: what a client says of one request that it sent. Whether the lease is its own, and whether the node's receipt agrees, is the coordinator's to check.",
    cases: [
      signed("signs an ack", SAID, ACK),
      signed("signs an ack of a request to which nothing came back", BARE, BARE_ACK),
      verify("takes an ack of this client", forged(ACK), ok(ACK)),
      verify("takes an ack with no more than it must hold", forged(BARE_ACK), ok(BARE_ACK)),
      verify("takes an ack a year late", forged(ACK), ok(ACK), late),
      verify("leaves out claims that it does not know", forged(ACK, { credits: 9 }), ok(ACK)),
      ...attacks(ACK),
      ...elsewhere(),
      ...shapes(),
    ],
  };
}

function signed(name: string, claims: Claims, kind: Kind): VectorCase {
  const input = { private_key: CLIENT.privateKey, claims };
  return { name, op: "sign_ack", input, expect: forged(kind) };
}

function verify(
  name: string,
  jws: VectorCase["expect"],
  expect: VectorCase["expect"],
  changes: Claims = {},
): VectorCase {
  const input = {
    jws,
    public_key: CLIENT.publicKey,
    issuer: CLIENT.peerId,
    now_ms: NOW_MS,
    ...changes,
  };
  return { name, op: "verify_ack", input, expect };
}

function ok(kind: Kind): Claims {
  return { ok: true, value: kind.claims };
}

function elsewhere(): VectorCase[] {
  const jws = forged(ACK);
  const other = { public_key: STRANGER.publicKey, issuer: STRANGER.peerId };
  const shorter = withPayload(jws, { ...ACK.claims, wall_ms: 1 });
  const moved = withPayload(jws, { ...ACK.claims, node: OTHER_NODE.peerId });
  return [
    verify("refuses a client's ack as another client's", jws, refusal("bad_signature"), other),
    verify(
      "refuses an ack whose iss is another client",
      forged(ACK, { iss: STRANGER.peerId }),
      refusal("wrong_issuer"),
    ),
    verify("refuses an ack with no iss", forged(ACK, { iss: undefined }), refusal("wrong_issuer")),
    verify("refuses an ack made shorter after signing", shorter, refusal("bad_signature")),
    verify("refuses an ack moved to another node", moved, refusal("bad_signature")),
    verify(
      "refuses an ack that its client let expire",
      forged(ACK, { exp: NOW_S - 30 }),
      refusal("expired"),
    ),
  ];
}

function shapes(): VectorCase[] {
  const durations = ["wall_ms", "ttft_ms"].flatMap((field) => [
    [`a negative ${field}`, { [field]: -1 }, field] as const,
    [`a ${field} of more than a day`, { [field]: DAY_MS + 1 }, field] as const,
    [`a fraction in ${field}`, { [field]: 0.5 }, field] as const,
  ]);
  const tokens = ["prompt_tokens", "completion_tokens"].flatMap((field) => [
    [`negative ${field}`, { [field]: -1 }, field] as const,
    [`more than a billion ${field}`, { [field]: 1_000_000_001 }, field] as const,
  ]);
  return [
    ...missing(ACK, ["lease", "seq", "node", "wall_ms", "outcome", "request_hash"]),
    ...misshapen(ACK, [
      ...durations,
      ...tokens,
      ["a lease that is no UUID", { lease: "lease" }, "lease"],
      ["a negative number", { seq: -1 }, "seq"],
      ["a number of 2^31", { seq: 2 ** 31 }, "seq"],
      ["a node that is no peer id", { node: "node" }, "node"],
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
      ["null for tokens that nobody counted", { completion_tokens: null }, "completion_tokens"],
    ]),
  ];
}
