import { type Attack, attacks, type Honest, send } from "./attack";
import type { Target } from "./target";
import { FORGERIES, goodProof, type Json, newKey, nowS, sign } from "./tokens";

type Route = { readonly method: string; readonly target: string; readonly body?: string };
const NODES: Route = { method: "GET", target: "/nodes" };
const AUTHORIZE: Route = {
  method: "POST",
  target: "/authorize",
  body: JSON.stringify({ model: `secret-${crypto.randomUUID()}` }),
};

function ask(target: Target, route: Route, proof: string | undefined, headers: Json = {}) {
  return send(target, target.coordinator + route.target, {
    method: route.method,
    headers: {
      "content-type": "application/json",
      ...(proof !== undefined && { "troop-proof": proof }),
      ...(headers as Record<string, string>),
    },
    ...(route.body !== undefined && { body: route.body }),
  });
}

const place = ({ method, target }: Route) => `at ${method} ${target} of the coordinator`;
const INVALID = "401 proof_invalid";
const other = newKey();

/** Proofs, well signed, that say the wrong thing. */
const WRONG_CLAIMS: readonly (readonly [string, string, (target: Target) => Json])[] = [
  ["a proof in another peer's name", INVALID, () => ({ iss: other.peerId })],
  ["a proof for another coordinator", INVALID, () => ({ aud: "https://other.example" })],
  ["a proof for several coordinators", INVALID, ({ coordinator }) => ({ aud: [coordinator, "x"] })],
  ["a proof for no coordinator", INVALID, () => ({ aud: undefined })],
  ["a proof for another path", INVALID, ({ coordinator }) => ({ htu: `${coordinator}/health` })],
  ["a proof for a longer path", INVALID, ({ coordinator }) => ({ htu: `${coordinator}/nodes/x` })],
  [
    "a proof for another query",
    INVALID,
    ({ coordinator }) => ({ htu: `${coordinator}/nodes?a=1` }),
  ],
  ["a proof for another method", INVALID, () => ({ htm: "DELETE" })],
  ["a proof for the method in small letters", INVALID, () => ({ htm: "get" })],
  ["a proof for another body", INVALID, () => ({ bh: "A".repeat(43) })],
  ["a proof without a body's hash", INVALID, () => ({ bh: undefined })],
  ["a proof that lives for an hour", INVALID, () => ({ exp: nowS() + 3_600 })],
  ["a proof without an end", INVALID, () => ({ exp: undefined })],
  ["a proof without a number of its own", INVALID, () => ({ jti: undefined })],
  ["a proof whose number can be guessed", INVALID, () => ({ jti: "1" })],
  ["a proof whose times are text", INVALID, () => ({ iat: "now" })],
  ["a proof whose end is no number", INVALID, () => ({ exp: "never" })],
  [
    "a proof of yesterday",
    "401 clock_skew",
    () => ({ iat: nowS() - 86_400, exp: nowS() - 86_340 }),
  ],
  ["a proof of tomorrow", "401 clock_skew", () => ({ iat: nowS() + 86_400, exp: nowS() + 86_460 })],
];

const proofAttacks = (route: Route): Attack[] => [
  ["a request without a proof", place(route), "401 proof_missing", (t) => ask(t, route, undefined)],
  [
    "a proof that was used before",
    place(route),
    "401 proof_replayed",
    async (t) => {
      const proof = sign(goodProof(newKey(), { audience: t.coordinator, ...route }));
      await ask(t, route, proof);
      return ask(t, route, proof);
    },
  ],
  [
    "a proof that shows a private key",
    place(route),
    INVALID,
    (t) => {
      const key = newKey();
      const good = goodProof(key, { audience: t.coordinator, ...route });
      return ask(t, route, sign({ ...good, header: { ...good.header, jwk: key.privateKey } }));
    },
  ],
  [
    "a proof under another peer's public key",
    place(route),
    INVALID,
    (t) => {
      const good = goodProof(newKey(), { audience: t.coordinator, ...route });
      return ask(t, route, sign({ ...good, header: { ...good.header, jwk: other.publicKey } }));
    },
  ],
  [
    "a proof that names its key by URL",
    place(route),
    INVALID,
    (t) => {
      const good = goodProof(newKey(), { audience: t.coordinator, ...route });
      const header = { ...good.header, jwk: undefined, jku: "http://127.0.0.1:1/keys" };
      return ask(t, route, sign({ ...good, header }));
    },
  ],
  [
    "a proof under a symmetric key",
    place(route),
    INVALID,
    (t) => {
      const good = goodProof(newKey(), { audience: t.coordinator, ...route });
      return ask(
        t,
        route,
        sign({ ...good, header: { ...good.header, jwk: { kty: "oct", k: "x" } } }),
      );
    },
  ],
  ...WRONG_CLAIMS.map(([tries, refusal, claims]): Attack => [
    tries,
    place(route),
    refusal,
    (t) =>
      ask(t, route, sign(goodProof(newKey(), { audience: t.coordinator, ...route }, claims(t)))),
  ]),
  ...FORGERIES.map(([tries, make]): Attack => [
    `a proof ${tries}`,
    place(route),
    INVALID,
    (t) => ask(t, route, make(goodProof(newKey(), { audience: t.coordinator, ...route }))),
  ]),
];

const HEARTBEAT = {
  state: "serving",
  urls: ["http://127.0.0.1:1"],
  e2e_key: "the.nodes.key",
  models: [],
  withdrawn: [],
  running: 0,
  waiting: 0,
  concurrency: 1,
  version: "1",
};

function enrolmentClaims(t: Target, peerId: string): Json {
  return {
    iss: t.coordinator,
    sub: peerId,
    usr: `usr_${"0".repeat(26)}`,
    nets: ["public"],
    rate: 1_000_000,
    iat: nowS(),
    exp: nowS() + 3_600,
  };
}

/** A heartbeat by a peer with an enrolment that the coordinator would have signed, made wrong by `change`. */
function beat(
  t: Target,
  change: {
    claims?: Json;
    heartbeat?: Json;
    token?: (good: ReturnType<typeof goodProof>) => string;
  },
): Promise<Response> {
  const key = newKey();
  const body = JSON.stringify({ ...HEARTBEAT, ...change.heartbeat });
  const route = { method: "POST", target: "/heartbeat", body };
  const enrolment = {
    header: { alg: "EdDSA", typ: "troop-enrolment+jwt", kid: t.signer.kid },
    claims: { ...enrolmentClaims(t, key.peerId), ...change.claims },
    key: t.signer,
    known: t.signer.publicKey.x,
  };
  const proof = sign(goodProof(key, { audience: t.coordinator, ...route }));
  return ask(t, route, proof, { "troop-enrolment": (change.token ?? sign)(enrolment) });
}

const AT_HEARTBEAT = "at POST /heartbeat of the coordinator";
const ENROLMENT = "401 enrolment_invalid";

const enrolmentAttacks: Attack[] = [
  [
    "another peer's enrolment",
    AT_HEARTBEAT,
    ENROLMENT,
    (t) => beat(t, { claims: { sub: other.peerId } }),
  ],
  [
    "an enrolment that has ended",
    AT_HEARTBEAT,
    ENROLMENT,
    (t) => beat(t, { claims: { exp: nowS() - 60 } }),
  ],
  [
    "another coordinator's enrolment",
    AT_HEARTBEAT,
    ENROLMENT,
    (t) => beat(t, { claims: { iss: "x" } }),
  ],
  ["an enrolment in no network", AT_HEARTBEAT, ENROLMENT, (t) => beat(t, { claims: { nets: [] } })],
  [
    "an enrolment of nobody's user",
    AT_HEARTBEAT,
    ENROLMENT,
    (t) => beat(t, { claims: { usr: "admin" } }),
  ],
  [
    "an enrolment under a key id that is not published",
    AT_HEARTBEAT,
    ENROLMENT,
    (t) =>
      beat(t, { token: (good) => sign({ ...good, header: { ...good.header, kid: "../../etc" } }) }),
  ],
  [
    "an enrolment that brings its own key",
    AT_HEARTBEAT,
    ENROLMENT,
    (t) => {
      const own = newKey();
      return beat(t, {
        token: (good) =>
          sign({ ...good, header: { ...good.header, jwk: own.publicKey }, key: own }),
      });
    },
  ],
  ...FORGERIES.map(([tries, make]): Attack => [
    `an enrolment ${tries}`,
    AT_HEARTBEAT,
    ENROLMENT,
    (t) => beat(t, { token: make }),
  ]),
];

const NOT_ALLOWED = "400 address_not_allowed";
const NO_ADDRESS = "400 request_invalid";
const ADDRESSES: readonly (readonly [what: string, url: string, refusal: string])[] = [
  ["a metadata service", "http://169.254.169.254", NOT_ALLOWED],
  ["a metadata service as IPv4 inside IPv6", "http://[::ffff:a9fe:a9fe]", NOT_ALLOWED],
  ["Alibaba's metadata service", "http://100.100.100.200", NOT_ALLOWED],
  ["AWS's metadata service on IPv6", "http://[fd00:ec2::254]", NOT_ALLOWED],
  ["a public address", "http://8.8.8.8:8080", NOT_ALLOWED],
  ["an address of the operator's own network", "http://10.0.0.1:8080", NOT_ALLOWED],
  ["every address at once", "http://0.0.0.0:8080", NOT_ALLOWED],
  ["IPv6 loopback, which nobody allowed", "http://[::1]:8080", NOT_ALLOWED],
  ["a broadcast", "http://255.255.255.255:8080", NOT_ALLOWED],
  ["a NAT64 form of loopback", "http://[64:ff9b::7f00:1]:8080", NOT_ALLOWED],
  ["a 6to4 form of loopback", "http://[2002:7f00:1::]:8080", NOT_ALLOWED],
  ["a host name, which could be rebound", "http://localhost:8080", NO_ADDRESS],
  ["a host name that ends like an address", "http://127.0.0.1.nip.io:8080", NO_ADDRESS],
  ["a name and a password in front of the host", "http://a:b@127.0.0.1:8080", NO_ADDRESS],
  ["a path", "http://127.0.0.1:8080/api", NO_ADDRESS],
  ["a file", "file:///etc/passwd", NO_ADDRESS],
  ["an address as one number", "http://2130706433:8080", NO_ADDRESS],
  ["an address in octal", "http://0177.0.0.1:8080", NO_ADDRESS],
  ["a script", "javascript:alert(1)", NO_ADDRESS],
];

const addressAttacks: Attack[] = ADDRESSES.map(([what, url, refusal]) => [
  `a node that advertises ${what}`,
  AT_HEARTBEAT,
  refusal,
  (t) => beat(t, { heartbeat: { urls: ["http://127.0.0.1:1", url] } }),
]);

const AT_ADMIN = "at GET /admin/audit of the coordinator";
const CREDENTIALS = "401 credentials_invalid";
const admin = (t: Target, headers: Record<string, string>) =>
  send(t, `${t.coordinator}/admin/audit`, { headers });
const basic = (text: string) => ({ authorization: `Basic ${btoa(text)}` });

const adminAttacks: Attack[] = [
  ["nobody's call", AT_ADMIN, CREDENTIALS, (t) => admin(t, {})],
  [
    "a guessed password",
    AT_ADMIN,
    CREDENTIALS,
    (t) => admin(t, basic("admin:correct horse battery")),
  ],
  ["no password", AT_ADMIN, CREDENTIALS, (t) => admin(t, basic("admin:"))],
  [
    "the password's beginning",
    AT_ADMIN,
    CREDENTIALS,
    (t) => admin(t, basic(`admin:${t.password.slice(0, -1)}`)),
  ],
  ["the password and more", AT_ADMIN, CREDENTIALS, (t) => admin(t, basic(`admin:${t.password}x`))],
  [
    "another name with the password",
    AT_ADMIN,
    CREDENTIALS,
    (t) => admin(t, basic(`root:${t.password}`)),
  ],
  [
    "the password as a bearer token",
    AT_ADMIN,
    CREDENTIALS,
    (t) => admin(t, { authorization: `Bearer ${t.password}` }),
  ],
  [
    "the password as a cookie",
    AT_ADMIN,
    CREDENTIALS,
    (t) => admin(t, { cookie: `__Host-troop_session=${t.password}` }),
  ],
  [
    "a word that is no base64",
    AT_ADMIN,
    CREDENTIALS,
    (t) => admin(t, { authorization: "Basic %%%" }),
  ],
  [
    "an address that claims to be the operator's",
    AT_ADMIN,
    CREDENTIALS,
    (t) => admin(t, { "x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1" }),
  ],
];

const NETWORK = `/networks/net-${"0".repeat(26)}`;
const MEMBER = `${NETWORK}/members/usr_${"0".repeat(26)}`;
const CODE = "0".repeat(26);

/** What strangers try with networks that are not theirs; whether those are there makes no difference to any answer. */
const INTRUSIONS: readonly (readonly [string, string, string, string, Json?])[] = [
  ["a look at others' members", "GET", `${NETWORK}/members`, "404 not_found"],
  ["a look at others' invites", "GET", `${NETWORK}/invites`, "404 not_found"],
  ["a look at others' nodes", "GET", `/nodes?network=${NETWORK.slice(10)}`, "404 not_found"],
  ["a look at others' models", "GET", `/v1/models?network=${NETWORK.slice(10)}`, "404 not_found"],
  [
    "a ticket in others' network",
    "POST",
    "/authorize",
    "404 not_found",
    { model: "m", network: NETWORK.slice(10) },
  ],
  [
    "an invite to others' network",
    "POST",
    `${NETWORK}/invites`,
    "404 not_found",
    { role: "member", uses: 1, expires_in_seconds: 60 },
  ],
  ["to own others' network", "PATCH", MEMBER, "404 not_found", { role: "owner" }],
  ["to empty others' network", "DELETE", MEMBER, "404 not_found"],
  ["to make others' network free", "PATCH", NETWORK, "404 not_found", { credits: false }],
  [
    "to take others' invite back",
    "DELETE",
    `${NETWORK}/invites/00000000-0000-4000-8000-000000000000`,
    "404 not_found",
  ],
  ["a guessed invite", "POST", "/invites/accept", "404 invite_invalid", { code: CODE }],
  ["an invite's hash", "POST", "/invites/accept", "400 request_invalid", { code: "A".repeat(43) }],
  ["an invite of SQL", "POST", "/invites/accept", "400 request_invalid", { code: "' or 1=1 --" }],
  ["an invite that is a list", "POST", "/invites/accept", "400 request_invalid", { code: [CODE] }],
  [
    "a network by who is not registered",
    "POST",
    "/networks",
    "403 not_registered",
    { name: "mine" },
  ],
  ["a network called public", "POST", "/networks", "400 request_invalid", { name: "public" }],
  ["a network called like an id", "POST", "/networks", "400 request_invalid", { name: "net-1" }],
  ["a network called like a model", "POST", "/networks", "400 request_invalid", { name: "a/b" }],
  ["a network named by a path", "GET", "/networks/..%2Fusers/members", "400 request_invalid"],
  [
    "an invite that makes owners",
    "POST",
    `${NETWORK}/invites`,
    "400 request_invalid",
    { role: "owner", uses: 1, expires_in_seconds: 60 },
  ],
  [
    "an invite for ever",
    "POST",
    `${NETWORK}/invites`,
    "400 request_invalid",
    { role: "member", uses: 1, expires_in_seconds: 2 ** 40 },
  ],
];

const intrusions: Attack[] = INTRUSIONS.map(([what, method, target, refusal, json]) => [
  what,
  `at ${method} ${target} of the coordinator`,
  refusal,
  (t) => {
    const route = { method, target, ...(json !== undefined && { body: JSON.stringify(json) }) };
    return ask(t, route, sign(goodProof(newKey(), { audience: t.coordinator, ...route })));
  },
]);

/** The same, with nothing wrong about it: what is refused above is refused for what it says. */
const honest: Honest[] = [
  [
    "a peer's proof",
    200,
    (t) => ask(t, NODES, sign(goodProof(newKey(), { audience: t.coordinator, ...NODES }))),
  ],
  ["a node's enrolment and address", 200, (t) => beat(t, {})],
  ["the operator's password", 200, (t) => admin(t, basic(`admin:${t.password}`))],
];

attacks(
  [
    ...proofAttacks(NODES),
    ...proofAttacks(AUTHORIZE),
    ...enrolmentAttacks,
    ...addressAttacks,
    ...adminAttacks,
    ...intrusions,
  ],
  honest,
);
