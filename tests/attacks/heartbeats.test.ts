import { type Attack, attacks, type Honest } from "./attack";
import { askWith } from "./peer-call";
import type { Target } from "./target";
import { FORGERIES, goodProof, type Json, newKey, nowS, sign } from "./tokens";

const other = newKey();

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
  return askWith(t, route, proof, { "troop-enrolment": (change.token ?? sign)(enrolment) });
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

/** The same, with nothing wrong about it: what is refused above is refused for what it says. */
const honest: Honest[] = [["a node's enrolment and address", 200, (t) => beat(t, {})]];

attacks([...enrolmentAttacks, ...addressAttacks], honest);
