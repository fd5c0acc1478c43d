import { withPayload } from "./vector-forge";
import { COORDINATOR, NODE, STRANGER } from "./vector-keys";
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

const ISSUER = "https://coordinator.example";
const CLAIMS = {
  iss: ISSUER,
  sub: NODE.peerId,
  usr: "usr_01arz3ndektsv4rrffq69g5fav",
  nets: ["public", "lab-7"],
  rate: 1_250_000,
  iat: NOW_S,
  exp: NOW_S + 86_400,
};

const ENROLMENT: Kind = {
  what: "an enrolment",
  typ: "troop-enrolment+jwt",
  header: { kid: KID },
  claims: CLAIMS,
  key: COORDINATOR,
  verify: (name, jws, expect) => verify(name, jws, expect),
};

export function enrolmentVectors(): VectorFile {
  return {
    about:
      "Enrolments: what the coordinator certifies of a peer. That `sub` is the peer whose proof comes along is the coordinator's to check.",
    cases: [
      signed("signs an enrolment", {}),
      signed("signs an enrolment at the least rate", { rate: 1 }),
      verify("takes an enrolment of this coordinator", forged(ENROLMENT), ok()),
      verify("leaves out claims that it does not know", forged(ENROLMENT, { admin: true }), ok()),
      ...attacks(ENROLMENT),
      ...elsewhere(),
      ...shapes(),
    ],
  };
}

function signed(name: string, changes: Partial<typeof CLAIMS>): VectorCase {
  const input = {
    private_key: COORDINATOR.privateKey,
    kid: KID,
    claims: { ...CLAIMS, ...changes },
  };
  return { name, op: "sign_enrolment", input, expect: forged(ENROLMENT, changes) };
}

function verify(
  name: string,
  jws: VectorCase["expect"],
  expect: VectorCase["expect"],
  changes: Claims = {},
): VectorCase {
  const input = {
    jws,
    public_key: COORDINATOR.publicKey,
    issuer: ISSUER,
    now_ms: NOW_MS,
    ...changes,
  };
  return { name, op: "verify_enrolment", input, expect };
}

function ok(): Claims {
  return { ok: true, value: CLAIMS };
}

function elsewhere(): VectorCase[] {
  const jws = forged(ENROLMENT);
  const at = (seconds: number) => ({ now_ms: NOW_MS + seconds * 1_000 });
  return [
    verify("takes an enrolment 29 seconds after its end: clocks differ", jws, ok(), at(86_429)),
    verify("refuses an enrolment 30 seconds after its end", jws, refusal("expired"), at(86_430)),
    verify("refuses an enrolment of another coordinator", jws, refusal("wrong_issuer"), {
      issuer: "https://other.example",
    }),
    verify(
      "refuses an enrolment with no iss",
      forged(ENROLMENT, { iss: undefined }),
      refusal("wrong_issuer"),
    ),
    verify(
      "refuses an enrolment under another key of the coordinator",
      jws,
      refusal("bad_signature"),
      { public_key: STRANGER.publicKey },
    ),
    verify(
      "refuses an enrolment that a peer signed for itself",
      forged(ENROLMENT, {}, {}, NODE),
      refusal("bad_signature"),
    ),
    verify(
      "refuses an enrolment with its rate raised after signing",
      withPayload(jws, { ...CLAIMS, rate: 8_000_000 }),
      refusal("bad_signature"),
    ),
    verify(
      "refuses an enrolment given to another peer after signing",
      withPayload(jws, { ...CLAIMS, sub: STRANGER.peerId }),
      refusal("bad_signature"),
    ),
  ];
}

function shapes(): VectorCase[] {
  return [
    ...missing(ENROLMENT, ["sub", "usr", "nets", "rate", "iat", "exp"]),
    ...misshapen(ENROLMENT, [
      ["a peer's name for its id", { sub: "node" }, "sub"],
      ["a user id of another form", { usr: "someone" }, "usr"],
      ["no network at all", { nets: [] }, "nets"],
      ["65 networks", { nets: Array.from({ length: 65 }, (_, at) => `n${at}`) }, "nets"],
      ["a network in upper case", { nets: ["Lab"] }, "nets.0"],
      ["a network for a list", { nets: "public" }, "nets"],
      ["a rate of nothing", { rate: 0 }, "rate"],
      ["a rate above eight credits a second", { rate: 8_000_001 }, "rate"],
      ["a text for iat", { iat: "now" }, "iat"],
      ["a text for exp", { exp: "never" }, "exp"],
      ["a text for nbf", { nbf: "soon" }, "nbf"],
    ]),
  ];
}
