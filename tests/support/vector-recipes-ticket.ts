import { forge, forgeUnsigned, withHeader, withPayload } from "./vector-forge";
import { CLIENT, COORDINATOR, NODE, OTHER_NODE, STRANGER } from "./vector-keys";
import {
  attacks,
  badClaims,
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
  sub: "usr_01arz3ndektsv4rrffq69g5fav",
  cnf: { jkt: CLIENT.peerId },
  aud: [NODE.peerId, OTHER_NODE.peerId],
  jti: "7d4f1f86-3a0c-4b7b-9a52-6f0e4a1d2c3b",
  iat: NOW_S,
  nbf: NOW_S,
  exp: NOW_S + 300,
  net: "public",
  model: "llama3.1:8b",
  rates: { [NODE.peerId]: 1_000_000, [OTHER_NODE.peerId]: 2_500_000 },
  budget: 60_000_000,
};

const FREE = { net: "net-0123456789abcdefghjkmnpqrs", rates: { [NODE.peerId]: 0 } };

const TICKET: Kind = {
  what: "a ticket",
  typ: "troop-ticket+jwt",
  header: { kid: KID },
  claims: CLAIMS,
  key: COORDINATOR,
  verify: (name, jws, expect) => verify(name, jws, expect),
};

export function ticketVectors(): VectorFile {
  return {
    about:
      "Tickets: what a node can check offline with the coordinator's key. That `cnf.jkt` is the proof's key, the model and the budget left are the node's to check.",
    cases: [
      signed("signs a ticket", {}),
      signed("signs a ticket for one node without a budget left", {
        aud: [NODE.peerId],
        budget: 0,
      }),
      verify("takes a ticket that names this node", forged(TICKET), ok()),
      verify("takes a ticket of a network that takes no credits", forged(TICKET, FREE), ok(FREE)),
      verify("takes it at the other node that it names", forged(TICKET), ok(), {
        node_id: OTHER_NODE.peerId,
      }),
      verify(
        "takes a ticket that names three nodes",
        forged(TICKET, threeNodes()),
        ok(threeNodes()),
      ),
      verify("leaves out claims that it does not know", forged(TICKET, { admin: true }), ok()),
      ...attacks(TICKET),
      ...elsewhere(),
      ...times(),
      ...shapes(),
      ...ownAgain(),
    ],
  };
}

function signed(name: string, changes: Partial<typeof CLAIMS>): VectorCase {
  const input = {
    private_key: COORDINATOR.privateKey,
    kid: KID,
    claims: { ...CLAIMS, ...changes },
  };
  return { name, op: "sign_ticket", input, expect: forged(TICKET, changes) };
}

function verify(
  name: string,
  jws: VectorCase["expect"],
  expect: VectorCase["expect"],
  changes: Claims = {},
): VectorCase {
  const expected = { issuer: ISSUER, node_id: NODE.peerId, now_ms: NOW_MS };
  const input = { jws, public_key: COORDINATOR.publicKey, ...expected, ...changes };
  return { name, op: "verify_ticket", input, expect };
}

function ok(changes: Claims = {}): Claims {
  return { ok: true, value: { ...CLAIMS, ...changes } };
}

function threeNodes(): Pick<typeof CLAIMS, "aud"> {
  return { aud: [STRANGER.peerId, OTHER_NODE.peerId, NODE.peerId] };
}

function elsewhere(): VectorCase[] {
  const jws = forged(TICKET);
  const proof = forge(
    { jwk: CLIENT.publicKey, alg: "EdDSA", typ: "troop-proof+jwt" },
    { iss: CLIENT.peerId, aud: NODE.peerId, iat: NOW_S, exp: NOW_S + 60 },
    CLIENT,
  );
  const ownKey = { ...TICKET.header, jwk: STRANGER.publicKey };
  return [
    verify("refuses a ticket at a node that it does not name", jws, refusal("wrong_audience"), {
      node_id: STRANGER.peerId,
    }),
    verify(
      "refuses a ticket that names no node",
      forged(TICKET, { aud: [] }),
      refusal("wrong_audience"),
    ),
    verify(
      "refuses a ticket with no aud",
      forged(TICKET, { aud: undefined }),
      refusal("wrong_audience"),
    ),
    verify("refuses a ticket of another coordinator", jws, refusal("wrong_issuer"), {
      issuer: "https://other.example",
    }),
    verify(
      "refuses a ticket whose iss has a slash more",
      forged(TICKET, { iss: `${ISSUER}/` }),
      refusal("wrong_issuer"),
    ),
    verify(
      "refuses a ticket with no iss",
      forged(TICKET, { iss: undefined }),
      refusal("wrong_issuer"),
    ),
    verify("refuses a ticket under another key of the coordinator", jws, refusal("bad_signature"), {
      public_key: STRANGER.publicKey,
    }),
    verify("refuses a client's proof in a ticket's place", proof, refusal("bad_signature")),
    verify(
      "refuses a ticket that brings its own key",
      forged(TICKET, {}, ownKey, STRANGER),
      refusal("bad_signature"),
    ),
    verify(
      "refuses a ticket with its budget raised after signing",
      withPayload(jws, { ...CLAIMS, budget: 61_000_000 }),
      refusal("bad_signature"),
    ),
    verify(
      "refuses a ticket bound to another peer after signing",
      withPayload(jws, { ...CLAIMS, cnf: { jkt: STRANGER.peerId } }),
      refusal("bad_signature"),
    ),
    verify(
      "refuses a ticket with its header changed after signing",
      withHeader(jws, { kid: "k", alg: "EdDSA", typ: TICKET.typ }),
      refusal("bad_signature"),
    ),
  ];
}

function times(): VectorCase[] {
  const at = (seconds: number) => ({ now_ms: NOW_MS + seconds * 1_000 });
  const jws = forged(TICKET);
  return [
    verify("takes a ticket 29 seconds after its end: clocks differ", jws, ok(), at(329)),
    verify("refuses a ticket 30 seconds after its end", jws, refusal("expired"), at(330)),
    verify("takes a ticket 30 seconds before its start: clocks differ", jws, ok(), at(-30)),
    verify(
      "refuses a ticket 31 seconds before its start, and says how long",
      jws,
      refusal("not_yet_valid", { aheadSeconds: 31 }),
      at(-31),
    ),
  ];
}

function shapes(): VectorCase[] {
  const rate = (value: unknown) => ({ rates: { [NODE.peerId]: value } });
  const rateField = `rates.${NODE.peerId}`;
  const four = [NODE, OTHER_NODE, CLIENT, STRANGER].map((key) => key.peerId);
  return [
    ...missing(TICKET, [
      "sub",
      "cnf",
      "jti",
      "iat",
      "nbf",
      "exp",
      "net",
      "model",
      "rates",
      "budget",
    ]),
    ...misshapen(TICKET, [
      ["one node for a list", { aud: NODE.peerId }, "aud"],
      ["four nodes", { aud: four }, "aud"],
      ["a node's name for an id", { aud: [NODE.peerId, "node"] }, "aud.1"],
      ["a user id of another form", { sub: "usr_1" }, "sub"],
      ["no key in cnf", { cnf: {} }, "cnf.jkt"],
      ["a short key id in cnf", { cnf: { jkt: CLIENT.peerId.slice(1) } }, "cnf.jkt"],
      ["a jti that is no UUID", { jti: "lease" }, "jti"],
      ["a text for iat", { iat: "now" }, "iat"],
      ["a text for nbf", { nbf: "soon" }, "nbf"],
      ["a text for exp", { exp: "never" }, "exp"],
      ["a fraction in exp", { exp: NOW_S + 0.5 }, "exp"],
      ["a network in upper case", { net: "Public" }, "net"],
      ["an empty model", { model: "" }, "model"],
      ["a line break in its model", { model: "a\nb" }, "model"],
      ["a C1 control in its model", { model: "a\u009b31mb" }, "model"],
      ["a model of 257 characters", { model: "m".repeat(257) }, "model"],
      ["a negative rate", rate(-1), rateField],
      ["a rate above eight credits a second", rate(8_000_001), rateField],
      ["a fraction for a rate", rate(0.5), rateField],
      ["a rate for a name", { rates: { node: 1 } }, "rates.node"],
      ["a list of rates", { rates: [1] }, "rates"],
      ["a negative budget", { budget: -1 }, "budget"],
      ["a fraction for a budget", { budget: 0.5 }, "budget"],
      ["a budget of 2^53", { budget: 2 ** 53 }, "budget"],
      ["a text for a budget", { budget: "60000000" }, "budget"],
    ]),
  ];
}

/** The coordinator meets its tickets again beside receipts: their times no longer count, all else does. */
function ownAgain(): VectorCase[] {
  const again = (name: string, jws: string, expect: VectorCase["expect"]): VectorCase => ({
    name: `the coordinator ${name}`,
    op: "verify_own_ticket",
    input: { jws, public_key: COORDINATOR.publicKey, issuer: ISSUER },
    expect,
  });
  const long = { iat: 1_000_000_000, nbf: 1_000_000_000, exp: 1_000_000_300 };
  const farNbf = { nbf: Number.MAX_SAFE_INTEGER };
  return [
    again("knows a ticket that ended years ago", forged(TICKET, long), ok(long)),
    again(
      "refuses its enrolment in a ticket's place",
      forged(TICKET, {}, { typ: "troop-enrolment+jwt" }),
      refusal("wrong_type"),
    ),
    again(
      "refuses a ticket of another issuer",
      forged(TICKET, { iss: "https://other.example" }),
      refusal("wrong_issuer"),
    ),
    again(
      "refuses a ticket that a stranger signed",
      forged(TICKET, {}, {}, STRANGER),
      refusal("bad_signature"),
    ),
    again(
      "refuses a stranger's ticket of no calendar's time",
      forged(TICKET, farNbf, {}, STRANGER),
      refusal("bad_signature"),
    ),
    again(
      "refuses a ticket without a start",
      forged(TICKET, { nbf: undefined }),
      refusal("malformed"),
    ),
    again(
      "refuses a ticket whose start is a text",
      forged(TICKET, { nbf: "soon" }),
      refusal("malformed"),
    ),
    again(
      "refuses a ticket with no signature",
      forgeUnsigned({ ...TICKET.header, typ: TICKET.typ }, CLAIMS),
      refusal("malformed"),
    ),
    again(
      "refuses a ticket with a text for a budget",
      forged(TICKET, { budget: "1" }),
      badClaims("budget"),
    ),
  ];
}
