import { type Attack, attacks, type Honest, send } from "./attack";
import { API_KEY, type Target } from "./target";
import { client, goodTicket } from "./tickets";
import { FORGERIES, type Good, goodProof, type Json, newKey, nowS, sign } from "./tokens";

const AT_NODE = "at POST /tickets of a node";
const TICKET = "401 ticket_invalid";
const PROOF = "401 proof_invalid";
const PRIVATE = `net-${"0".repeat(26)}`;

const audience = (t: Target) => `troop:${t.nodeId}`;
const provenTo = (t: Target, claims: Json = {}, key = client) =>
  goodProof(
    key,
    { audience: audience(t), method: "POST", target: "/tickets" },
    { seq: 0, ...claims },
  );

function show(t: Target, ticket: string, proof = sign(provenTo(t))): Promise<Response> {
  const headers = { "troop-ticket": ticket, "troop-proof": proof };
  return send(t, `${t.node}/tickets`, { method: "POST", headers });
}

const WRONG_TICKETS: readonly (readonly [string, (t: Target) => Good])[] = [
  ["a ticket for another node", (t) => goodTicket(t, { aud: [newKey().peerId] })],
  ["a ticket without a rate for this node", (t) => goodTicket(t, { rates: {} })],
  ["another coordinator's ticket", (t) => goodTicket(t, { iss: "https://other.example" })],
  ["a ticket that has ended", (t) => goodTicket(t, { exp: nowS() - 60 })],
  ["a ticket that is not valid yet", (t) => goodTicket(t, { nbf: nowS() + 600 })],
  ["a ticket that never ends", (t) => goodTicket(t, { exp: undefined })],
  ["a ticket that belongs to no peer", (t) => goodTicket(t, { cnf: undefined })],
  ["a ticket for more nodes than three", (t) => goodTicket(t, { aud: [t.nodeId, ...others()] })],
  ["a ticket with a budget below nothing", (t) => goodTicket(t, { budget: -1 })],
  ["a ticket with a budget beyond all", (t) => goodTicket(t, { budget: 2 ** 60 })],
  ["a ticket in no network", (t) => goodTicket(t, { net: "" })],
  ["a ticket in a network that the node is not lent in", (t) => goodTicket(t, { net: PRIVATE })],
  ["a ticket in several networks", (t) => goodTicket(t, { net: ["public", PRIVATE] })],
  [
    "a free ticket in a network that the node is not lent in",
    (t) => goodTicket(t, { net: PRIVATE, rates: { [t.nodeId]: 0 } }),
  ],
  ["a ticket under a made-up key id", (t) => goodTicket(t, {}, { kid: "made-up" })],
  ["a ticket without a key id", (t) => goodTicket(t, {}, { kid: undefined })],
  [
    "a ticket that brings its own key",
    (t) => {
      const own = newKey();
      return { ...goodTicket(t, {}, { jwk: own.publicKey }), key: own };
    },
  ],
  ["an enrolment for a ticket", (t) => goodTicket(t, {}, { typ: "troop-enrolment+jwt" })],
];
const others = () => [newKey(), newKey(), newKey()].map((key) => key.peerId);

const WRONG_PROOFS: readonly (readonly [string, string, (t: Target) => Good])[] = [
  ["a stolen ticket", PROOF, (t) => provenTo(t, {}, newKey())],
  [
    "a stolen ticket in its owner's name",
    PROOF,
    (t) => provenTo(t, { iss: client.peerId }, newKey()),
  ],
  ["a proof made for another node", PROOF, (t) => provenTo(t, { aud: "troop:x" })],
  ["a proof made for the coordinator", PROOF, (t) => provenTo(t, { aud: t.coordinator })],
  ["a proof for another path", PROOF, (t) => provenTo(t, { htu: `${audience(t)}/v1/sealed` })],
  ["a proof for another method", PROOF, (t) => provenTo(t, { htm: "GET" })],
  ["a proof without its place in the lease", PROOF, (t) => provenTo(t, { seq: undefined })],
  [
    "a proof of an hour ago",
    PROOF,
    (t) => provenTo(t, { iat: nowS() - 3_600, exp: nowS() - 3_540 }),
  ],
  [
    "a proof of the next hour",
    PROOF,
    (t) => provenTo(t, { iat: nowS() + 3_600, exp: nowS() + 3_660 }),
  ],
  ["a proof that lives for an hour", PROOF, (t) => provenTo(t, { exp: nowS() + 3_600 })],
];

const nodeAttacks: Attack[] = [
  [
    "no ticket",
    AT_NODE,
    "401 ticket_missing",
    (t) =>
      send(t, `${t.node}/tickets`, {
        method: "POST",
        headers: { "troop-proof": sign(provenTo(t)) },
      }),
  ],
  [
    "a ticket without a proof",
    AT_NODE,
    PROOF,
    (t) =>
      send(t, `${t.node}/tickets`, {
        method: "POST",
        headers: { "troop-ticket": sign(goodTicket(t)) },
      }),
  ],
  [
    "a proof that was used before",
    AT_NODE,
    PROOF,
    async (t) => {
      const [ticket, proof] = [sign(goodTicket(t)), sign(provenTo(t))];
      const first = await show(t, ticket, proof);
      // The first one counts: what is refused is the second use, nothing else about it.
      return first.status === 204 ? show(t, ticket, proof) : first;
    },
  ],
  ...WRONG_TICKETS.map(([tries, make]): Attack => [
    tries,
    AT_NODE,
    TICKET,
    (t) => show(t, sign(make(t))),
  ]),
  ...FORGERIES.map(([tries, make]): Attack => [
    `a ticket ${tries}`,
    AT_NODE,
    TICKET,
    (t) => show(t, make(goodTicket(t))),
  ]),
  ...WRONG_PROOFS.map(([tries, refusal, make]): Attack => [
    tries,
    AT_NODE,
    refusal,
    (t) => show(t, sign(goodTicket(t)), sign(make(t))),
  ]),
  ...FORGERIES.map(([tries, make]): Attack => [
    `a proof ${tries}`,
    AT_NODE,
    PROOF,
    (t) => show(t, sign(goodTicket(t)), make(provenTo(t))),
  ]),
  [
    "a request that is not sealed",
    "at POST /v1/chat/completions of a node",
    "404 not_found",
    (t) =>
      send(t, `${t.node}/v1/chat/completions`, {
        method: "POST",
        headers: { "troop-ticket": sign(goodTicket(t)) },
        body: JSON.stringify({ prompt: `secret-${crypto.randomUUID()}` }),
      }),
  ],
  ...["/api/tags", "/api/delete", "/admin", "/metrics"].map((path): Attack => [
    "the engine behind a node",
    `at GET ${path} of a node`,
    "404 not_found",
    (t) => send(t, t.node + path, {}),
  ]),
];

const AT_CLIENT = "at POST /v1/chat/completions of a client";
const CHAT = JSON.stringify({
  model: "any",
  messages: [{ role: "user", content: `secret-${crypto.randomUUID()}` }],
});

function chat(t: Target, headers: Record<string, string>): Promise<Response> {
  return send(t, `${t.client}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${API_KEY}`, ...headers },
    body: CHAT,
  });
}

const FORBIDDEN = "403 invalid_request";
const KEY = "401 invalid_api_key";

const clientAttacks: Attack[] = [
  ...[
    "evil.example",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "169.254.169.254",
    "evil.example:9000",
    "0.0.0.0",
  ].map((host): Attack => [
    `a page that rebound ${host}`,
    AT_CLIENT,
    FORBIDDEN,
    (t) => chat(t, { host }),
  ]),
  ...[
    "https://evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.nip.io",
    "null",
    "chrome-extension://abcdefgh",
    "http://evil.example:80@localhost",
  ].map((origin): Attack => [
    `a page of ${origin}`,
    AT_CLIENT,
    FORBIDDEN,
    (t) => chat(t, { origin }),
  ]),
  ["an app without a key", AT_CLIENT, KEY, (t) => chat(t, { authorization: "" })],
  [
    "an app with another key",
    AT_CLIENT,
    KEY,
    (t) => chat(t, { authorization: "Bearer sk-another-0123" }),
  ],
  [
    "an app with the key's beginning",
    AT_CLIENT,
    KEY,
    (t) => chat(t, { authorization: `Bearer ${API_KEY.slice(0, -1)}` }),
  ],
  [
    "an app with the key by HTTP Basic",
    AT_CLIENT,
    KEY,
    (t) => chat(t, { authorization: `Basic ${btoa(`:${API_KEY}`)}` }),
  ],
  [
    "an app with the key as a cookie",
    AT_CLIENT,
    KEY,
    (t) => chat(t, { authorization: "", cookie: `key=${API_KEY}` }),
  ],
  [
    "an app that asks for the peer's identity",
    "at GET /identity.json of a client",
    "404 not_found",
    (t) =>
      send(t, `${t.client}/identity.json`, { headers: { authorization: `Bearer ${API_KEY}` } }),
  ],
  [
    "an app that speaks to the client as to a node",
    "at POST /tickets of a client",
    "404 not_found",
    (t) =>
      send(t, `${t.client}/tickets`, {
        method: "POST",
        headers: { authorization: `Bearer ${API_KEY}`, "troop-ticket": sign(goodTicket(t)) },
      }),
  ],
];

/** The same, with nothing wrong about it: what is refused above is refused for what it says. */
const honest: Honest[] = [
  ["a client's ticket and proof", 204, (t) => show(t, sign(goodTicket(t)))],
  [
    "an app with the key",
    200,
    (t) => send(t, `${t.client}/v1/models`, { headers: { authorization: `Bearer ${API_KEY}` } }),
  ],
  [
    "a page of this machine",
    200,
    (t) =>
      send(t, `${t.client}/v1/models`, {
        headers: { authorization: `Bearer ${API_KEY}`, origin: "http://localhost:3000" },
      }),
  ],
];

attacks([...nodeAttacks, ...clientAttacks], honest);
