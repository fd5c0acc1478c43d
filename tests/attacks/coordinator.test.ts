import { type Attack, attacks, type Honest, send } from "./attack";
import { askWith, type Route } from "./peer-call";
import type { Target } from "./target";
import { FORGERIES, goodProof, type Json, newKey, nowS, sign } from "./tokens";

const NODES: Route = { method: "GET", target: "/nodes" };
const AUTHORIZE: Route = {
  method: "POST",
  target: "/authorize",
  body: JSON.stringify({ model: `secret-${crypto.randomUUID()}` }),
};

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
  [
    "a request without a proof",
    place(route),
    "401 proof_missing",
    (t) => askWith(t, route, undefined),
  ],
  [
    "a proof that was used before",
    place(route),
    "401 proof_replayed",
    async (t) => {
      const proof = sign(goodProof(newKey(), { audience: t.coordinator, ...route }));
      await askWith(t, route, proof);
      return askWith(t, route, proof);
    },
  ],
  [
    "a proof that shows a private key",
    place(route),
    INVALID,
    (t) => {
      const key = newKey();
      const good = goodProof(key, { audience: t.coordinator, ...route });
      return askWith(t, route, sign({ ...good, header: { ...good.header, jwk: key.privateKey } }));
    },
  ],
  [
    "a proof under another peer's public key",
    place(route),
    INVALID,
    (t) => {
      const good = goodProof(newKey(), { audience: t.coordinator, ...route });
      return askWith(t, route, sign({ ...good, header: { ...good.header, jwk: other.publicKey } }));
    },
  ],
  [
    "a proof that names its key by URL",
    place(route),
    INVALID,
    (t) => {
      const good = goodProof(newKey(), { audience: t.coordinator, ...route });
      const header = { ...good.header, jwk: undefined, jku: "http://127.0.0.1:1/keys" };
      return askWith(t, route, sign({ ...good, header }));
    },
  ],
  [
    "a proof under a symmetric key",
    place(route),
    INVALID,
    (t) => {
      const good = goodProof(newKey(), { audience: t.coordinator, ...route });
      return askWith(
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
      askWith(
        t,
        route,
        sign(goodProof(newKey(), { audience: t.coordinator, ...route }, claims(t))),
      ),
  ]),
  ...FORGERIES.map(([tries, make]): Attack => [
    `a proof ${tries}`,
    place(route),
    INVALID,
    (t) => askWith(t, route, make(goodProof(newKey(), { audience: t.coordinator, ...route }))),
  ]),
];

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
    return askWith(t, route, sign(goodProof(newKey(), { audience: t.coordinator, ...route })));
  },
]);

/** The same, with nothing wrong about it: what is refused above is refused for what it says. */
const honest: Honest[] = [
  [
    "a peer's proof",
    200,
    (t) => askWith(t, NODES, sign(goodProof(newKey(), { audience: t.coordinator, ...NODES }))),
  ],
  ["the operator's password", 200, (t) => admin(t, basic(`admin:${t.password}`))],
];

attacks(
  [...proofAttacks(NODES), ...proofAttacks(AUTHORIZE), ...adminAttacks, ...intrusions],
  honest,
);
