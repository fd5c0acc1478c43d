import { forge, withHeader, withPayload } from "./vector-forge";
import { base64url, CLIENT, COORDINATOR, NODE, sha256, STRANGER } from "./vector-keys";
import {
  attacks,
  type Claims,
  forged,
  KID,
  type Kind,
  misshapen,
  missing,
  NOW_MS,
  NOW_S,
  refusal,
} from "./vector-tokens";
import type { VectorCase, VectorFile } from "./vector-case";

const AUDIENCE = "https://coordinator.example/api";
const NODE_AUDIENCE = `troop:${NODE.peerId}`;
const TARGET = "/authorize?network=public";
const BODY = '{"model":"llama3.1:8b"}';
const JTI = "c5bd0a2e-6f0b-4a3c-9d7e-0f1e2d3c4b5a";
const REQUEST = { audience: AUDIENCE, method: "POST", target: TARGET, body: BODY };

const CLAIMS = {
  iss: CLIENT.peerId,
  aud: AUDIENCE,
  htm: "POST",
  htu: AUDIENCE + TARGET,
  iat: NOW_S,
  exp: NOW_S + 60,
  jti: JTI,
  bh: sha256(BODY),
};

const PROOF: Kind = {
  what: "a proof",
  typ: "troop-proof+jwt",
  header: { jwk: CLIENT.publicKey },
  claims: CLAIMS,
  key: CLIENT,
  verify: (name, jws, expect) => verify(name, jws, expect),
};

export function proofVectors(): VectorFile {
  return {
    about:
      "Proofs: who sent a request, and that it is this one. `audience`, `method`, `target` and `body` are those of the request that arrived; without `body` the hash is not checked.",
    cases: [
      ...signed(),
      ...accepted(),
      ...attacks(PROOF),
      ...otherRequests(),
      ...times(),
      ...headers(),
      ...shapes(),
    ],
  };
}

function verify(
  name: string,
  jws: VectorCase["expect"],
  expect: VectorCase["expect"],
  changes: Claims = {},
): VectorCase {
  const input = { jws, ...REQUEST, now_ms: NOW_MS, ...changes };
  return { name, op: "verify_proof", input, expect };
}

function ok(changes: Claims = {}): Claims {
  return { ok: true, value: { ...CLAIMS, ...changes, key: CLIENT.publicKey } };
}

function signed(): VectorCase[] {
  const sign = (name: string, changes: Claims, claims: Claims): VectorCase => ({
    name,
    op: "sign_proof",
    input: { private_key: CLIENT.privateKey, ...REQUEST, jti: JTI, now_ms: NOW_MS, ...changes },
    expect: forged(PROOF, claims),
  });
  const toNode = { aud: NODE_AUDIENCE, htu: `${NODE_AUDIENCE}/v1/models`, htm: "GET" };
  return [
    sign("signs a request with a body", {}, {}),
    sign("signs a request without a body", { body: "" }, { bh: sha256("") }),
    sign("counts whole seconds, rounded down", { now_ms: NOW_MS + 999 }, {}),
    sign(
      "signs a request to a node with its number in the lease",
      { audience: NODE_AUDIENCE, method: "GET", target: "/v1/models", body: "", seq: 7 },
      { ...toNode, bh: sha256(""), seq: 7 },
    ),
    sign("signs the first request of a lease, whose number is 0", { seq: 0 }, { seq: 0 }),
  ];
}

function accepted(): VectorCase[] {
  const jws = forged(PROOF);
  const { body: _, ...unread } = REQUEST;
  return [
    verify("takes a proof of this request", jws, ok()),
    {
      name: "takes a proof whose body is still to come",
      op: "verify_proof",
      input: { jws, ...unread, now_ms: NOW_MS },
      expect: ok(),
    },
    verify(
      "tells the number within the lease",
      forged(PROOF, { seq: 2_147_483_647 }),
      ok({ seq: 2_147_483_647 }),
    ),
    verify("leaves out claims that it does not know", forged(PROOF, { admin: true }), ok()),
  ];
}

function otherRequests(): VectorCase[] {
  const jws = forged(PROOF);
  const wrong = refusal("wrong_request");
  return [
    verify("refuses a proof for another path", jws, wrong, { target: "/authorize/extend" }),
    verify("refuses a proof for another query", jws, wrong, { target: "/authorize?network=lab" }),
    verify("refuses a proof for no query", jws, wrong, { target: "/authorize" }),
    verify("refuses a proof for a path in another case", jws, wrong, {
      target: "/Authorize?network=public",
    }),
    verify("refuses a proof for another method", jws, wrong, { method: "GET" }),
    verify("refuses a proof for a method in another case", jws, wrong, { method: "post" }),
    verify("refuses a proof for another body", jws, refusal("wrong_body"), { body: `${BODY} ` }),
    verify("refuses a proof with a body for a request without", jws, refusal("wrong_body"), {
      body: "",
    }),
    verify("refuses a proof for another coordinator", jws, refusal("wrong_audience"), {
      audience: "https://other.example",
    }),
    verify("refuses a coordinator's proof at a node", jws, refusal("wrong_audience"), {
      audience: NODE_AUDIENCE,
    }),
    verify(
      "refuses a proof whose audience is a prefix of this one",
      jws,
      refusal("wrong_audience"),
      { audience: `${AUDIENCE}/v2` },
    ),
    verify(
      "refuses a proof with no aud",
      forged(PROOF, { aud: undefined }),
      refusal("wrong_audience"),
    ),
    verify(
      "refuses a proof whose iss is another peer",
      forged(PROOF, { iss: STRANGER.peerId }),
      refusal("wrong_key"),
    ),
    verify(
      "refuses a stranger's key and signature under a peer's id",
      forged(PROOF, {}, { jwk: STRANGER.publicKey }, STRANGER),
      refusal("wrong_key"),
    ),
  ];
}

function times(): VectorCase[] {
  const lived = (iat: number, exp: number) => forged(PROOF, { iat: NOW_S + iat, exp: NOW_S + exp });
  const known = (iat: number, exp: number) => ok({ iat: NOW_S + iat, exp: NOW_S + exp });
  return [
    verify(
      "takes a proof that ended 29 seconds ago: clocks differ",
      lived(-89, -29),
      known(-89, -29),
    ),
    verify("refuses a proof that ended 30 seconds ago", lived(-90, -30), refusal("expired")),
    verify("refuses that proof a second later", lived(-89, -29), refusal("expired"), {
      now_ms: NOW_MS + 1_000,
    }),
    verify("takes a proof made 30 seconds ahead: clocks differ", lived(30, 90), known(30, 90)),
    verify(
      "refuses a proof made 31 seconds ahead, and says by how much",
      lived(31, 91),
      refusal("clock_ahead", { aheadSeconds: 31 }),
    ),
    verify(
      "refuses a proof made an hour ahead",
      lived(3_600, 3_660),
      refusal("clock_ahead", { aheadSeconds: 3_600 }),
    ),
    verify("refuses a proof that lives 61 seconds", lived(0, 61), refusal("lives_too_long")),
    verify(
      "refuses a proof that lives for ever",
      forged(PROOF, { exp: Number.MAX_SAFE_INTEGER }),
      refusal("lives_too_long"),
    ),
    verify(
      "refuses a proof not valid before an hour from now",
      forged(PROOF, { nbf: NOW_S + 3_600 }),
      refusal("not_yet_valid", { aheadSeconds: 3_600 }),
    ),
  ];
}

function headers(): VectorCase[] {
  const jws = forged(PROOF);
  const { kty, crv, x } = CLIENT.publicKey;
  const withJwk = (what: string, jwk: unknown) =>
    verify(
      `refuses a proof whose header has ${what}`,
      forged(PROOF, {}, { jwk }),
      refusal("malformed"),
    );
  const ticketLike = forge(
    { kid: KID, alg: "EdDSA", typ: "troop-ticket+jwt" },
    CLAIMS,
    COORDINATOR,
  );
  const changed = withPayload(jws, { ...CLAIMS, htu: `${AUDIENCE}/users/me` });
  return [
    withJwk("no key", undefined),
    withJwk("a private key", CLIENT.privateKey),
    withJwk("a key with a name", { kty, crv, x, kid: "k" }),
    withJwk("an X25519 key", { kty, crv: "X25519", x }),
    withJwk("an elliptic curve key", { kty: "EC", crv: "P-256", x, y: x }),
    withJwk("a symmetric key", { kty: "oct", k: x }),
    withJwk("a short key", { kty, crv, x: x.slice(1) }),
    withJwk("a second spelling of a key", { kty, crv, x: `${x.slice(0, -1)}${nextSpelling(x)}` }),
    withJwk("a list of keys", [CLIENT.publicKey]),
    verify("refuses a ticket in a proof's place", ticketLike, refusal("malformed")),
    verify(
      "refuses a proof with a stranger's key in its header",
      forged(PROOF, {}, { jwk: STRANGER.publicKey }),
      refusal("bad_signature"),
    ),
    verify("refuses a proof with a claim changed after signing", changed, refusal("bad_signature")),
    verify(
      "refuses a proof with its header changed after signing",
      withHeader(jws, { jwk: CLIENT.publicKey, alg: "EdDSA", typ: PROOF.typ, kid: "k" }),
      refusal("bad_signature"),
    ),
  ];
}

/** The last character with a spare bit set: a lax decoder reads the same 32 bytes. */
function nextSpelling(x: string): string {
  const bytes = Buffer.from(x, "base64url");
  const spellings = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    .split("")
    .filter(
      (last) => base64url(Buffer.from(x.slice(0, -1) + last, "base64url")) === base64url(bytes),
    );
  return spellings[1] ?? "";
}

function shapes(): VectorCase[] {
  return [
    ...missing(PROOF, ["iss", "htm", "htu", "iat", "exp", "jti", "bh"]),
    ...misshapen(PROOF, [
      ["two audiences", { aud: [AUDIENCE, NODE_AUDIENCE] }, "aud"],
      ["a number for iss", { iss: 1 }, "iss"],
      ["a method of 17 characters", { htm: "M".repeat(17) }, "htm"],
      ["an htu of 4097 characters", { htu: "u".repeat(4_097) }, "htu"],
      ["a text for exp", { exp: String(NOW_S) }, "exp"],
      ["a fraction in exp", { exp: NOW_S + 0.5 }, "exp"],
      ["an exp above 2^53", { exp: 2 ** 53 }, "exp"],
      ["a text for iat", { iat: String(NOW_S) }, "iat"],
      ["a text for nbf", { nbf: "soon" }, "nbf"],
      ["a jti of 15 characters", { jti: "j".repeat(15) }, "jti"],
      ["a jti of 65 characters", { jti: "j".repeat(65) }, "jti"],
      ["a body hash of 42 characters", { bh: CLAIMS.bh.slice(1) }, "bh"],
      ["a body hash of 44 characters", { bh: `A${CLAIMS.bh}` }, "bh"],
      ["a negative number in the lease", { seq: -1 }, "seq"],
      ["a number in the lease of 2^31", { seq: 2 ** 31 }, "seq"],
      ["a fraction for the number in the lease", { seq: 0.5 }, "seq"],
      ["a text for the number in the lease", { seq: "0" }, "seq"],
    ]),
  ];
}
