import { sealRecord } from "#peer/e2e/aead";
import { createMessageSealer } from "#peer/e2e/message-sealer";
import { recordHeader, RECORD_BYTES } from "#protocol/sealed-record";
import { chat, provenSession, type Sent } from "./sealed";
import type { Target } from "./target";
import { client } from "./tickets";
import { newKey, nowS, sign } from "./tokens";

const BROKEN = "400 invalid_request";

const flipped = (record: Buffer, at: number): Buffer => {
  const bent = Buffer.from(record);
  bent[at] = (bent[at] ?? 0) ^ 1;
  return bent;
};
/** A record as somebody without the key would make it. */
const junk = (isLast: boolean): Buffer =>
  Buffer.concat([recordHeader(40, isLast), Buffer.alloc(56, 7)]);

/** What somebody on the way does to the records of a message that its client sealed. */
export const ON_THE_WAY: readonly (readonly [tries: string, bend: NonNullable<Sent["bend"]>])[] = [
  ["a message without its last record", ([head, one]) => Buffer.concat([head!, one!])],
  ["a message without its last byte", (all) => Buffer.concat(all).subarray(0, -1)],
  ["a message without its first record", ([, one, last]) => Buffer.concat([one!, last!])],
  ["a message without a record in its middle", ([head, , last]) => Buffer.concat([head!, last!])],
  ["a message of its head alone", ([head]) => head!],
  [
    "a message whose records changed places",
    ([head, one, last]) => Buffer.concat([head!, last!, one!]),
  ],
  ["a message whose head comes last", ([head, one, last]) => Buffer.concat([one!, last!, head!])],
  [
    "a message with a record twice",
    ([head, one, last]) => Buffer.concat([head!, one!, one!, last!]),
  ],
  ["a message with two ends", ([head, one, last]) => Buffer.concat([head!, one!, last!, last!])],
  ["a message sent twice in one", (all) => Buffer.concat([...all, ...all])],
  ["a message with a byte behind its end", (all) => Buffer.concat([...all, Buffer.of(0)])],
  [
    "a message with a record of nobody's",
    ([head, one, last]) => Buffer.concat([head!, one!, junk(false), last!]),
  ],
  ["a message whose end is nobody's", ([head, one]) => Buffer.concat([head!, one!, junk(true)])],
  [
    "a message with a bit of its head flipped",
    ([head, ...rest]) => Buffer.concat([flipped(head!, 9), ...rest]),
  ],
  [
    "a message with a bit of its body flipped",
    ([head, one, last]) => Buffer.concat([head!, flipped(one!, 9), last!]),
  ],
  [
    "a message with a bit of its tag flipped",
    ([head, one, last]) => Buffer.concat([head!, one!, flipped(last!, last!.length - 1)]),
  ],
  [
    "a message whose end comes early",
    ([head, one]) =>
      Buffer.concat([head!, Buffer.concat([Buffer.of(one![0]! | 0x80), one!.subarray(1)])]),
  ],
  [
    "a message whose end is taken for none",
    ([head, one, last]) =>
      Buffer.concat([head!, one!, Buffer.of(last![0]! & 0x7f), last!.subarray(1)]),
  ],
  [
    "a record longer than any is",
    ([head]) => Buffer.concat([head!, recordHeader(RECORD_BYTES + 1, false), Buffer.alloc(100)]),
  ],
  [
    "a record shorter than its tag",
    ([head]) => Buffer.concat([head!, Buffer.of(0, 0, 0, 3, 1, 2, 3)]),
  ],
  ["no byte at all", () => new Uint8Array()],
  ["a plain body in place of a sealed one", () => Buffer.from('{"model":"m","messages":[]}')],
  [
    "another message's record",
    ([head, , last], key) =>
      Buffer.concat([head!, createMessageSealer(key, 9_999_999).part(Buffer.from("x")), last!]),
  ],
  [
    "a head and an end in one",
    (_, key) => Buffer.concat(sealRecord(key, 0, 0, Buffer.from("{}"), true)),
  ],
];

/** What a client that has a good ticket and a session says in it. */
export const INSIDE: readonly (readonly [
  tries: string,
  refusal: string,
  sent: (t: Target) => Sent,
])[] = [
  [
    "the path by which an engine deletes models",
    "404 not_found",
    () => ({ head: { target: "/api/delete" } }),
  ],
  [
    "a path that climbs out of /v1",
    "404 not_found",
    () => ({ head: { target: "/v1/../api/delete" } }),
  ],
  [
    "a path that climbs in other letters",
    "404 not_found",
    () => ({ head: { target: "/v1/%2e%2e/api/delete" } }),
  ],
  [
    "a path that climbs by a backslash",
    "404 not_found",
    () => ({ head: { target: "/v1/..\\api\\delete" } }),
  ],
  [
    "another host in place of a path",
    "404 not_found",
    () => ({ head: { target: "//169.254.169.254/v1/models" } }),
  ],
  [
    "a name and a password in place of a path",
    "404 not_found",
    () => ({ head: { target: "/@169.254.169.254/" } }),
  ],
  ["a path of two lines", BROKEN, () => ({ head: { target: "/v1/x HTTP/1.1\r\nHost: x" } })],
  ["a URL in place of a path", BROKEN, () => ({ head: { target: "http://169.254.169.254/" } })],
  ["a path beyond all", BROKEN, () => ({ head: { target: `/v1/${"a".repeat(5_000)}` } })],
  ["a header of two lines", BROKEN, () => ({ head: { headers: [["x", "1\r\ny: 2"]] } })],
  ["a header whose name is two lines", BROKEN, () => ({ head: { headers: [["x: 1\r\ny", "2"]] } })],
  [
    "more headers than any request has",
    BROKEN,
    () => ({ head: { headers: Array.from({ length: 300 }, () => ["x", "1"]) } }),
  ],
  ["headers that are text", BROKEN, () => ({ head: { headers: "x: 1" } })],
  ["a head without a hash", BROKEN, () => ({ head: { hash: undefined } })],
  ["another hash than the body's", BROKEN, () => ({ head: { hash: "A".repeat(43) } })],
  ["a body longer than it says", BROKEN, () => ({ head: { length: 1 } })],
  ["a body shorter than it says", BROKEN, () => ({ head: { length: 1_000_000 } })],
  ["a length below nothing", BROKEN, () => ({ head: { length: -1 } })],
  ["a body beyond all", "413 request_too_large", () => ({ head: { length: 2 ** 40 } })],
  [
    "a model that its ticket does not name",
    BROKEN,
    (t) => ({ body: chat(t, { model: "another" }) }),
  ],
  ["no model", "400 model_required", (t) => ({ body: chat(t, { model: undefined }) })],
  [
    "a model that is a list",
    "400 model_required",
    (t) => ({ body: chat(t, { model: [t.model] }) }),
  ],
  [
    "two models, the ticket's first",
    BROKEN,
    (t) => ({ body: `{"model":${JSON.stringify(t.model)},"model":"another"}` }),
  ],
];

export const PROOFS: readonly (readonly [string, NonNullable<Sent["proof"]>])[] = [
  [
    "for another path",
    (t, s, seq) => sign(provenSession(t, s, seq, { htu: `troop:${t.nodeId}/tickets` })),
  ],
  ["for another method", (t, s, seq) => sign(provenSession(t, s, seq, { htm: "GET" }))],
  [
    "for another node",
    (t, s, seq) => sign(provenSession(t, s, seq, { aud: `troop:${newKey().peerId}` })),
  ],
  ["for another session", (t, s, seq) => sign(provenSession(t, s, seq, { bh: "A".repeat(43) }))],
  ["for another number", (t, s, seq) => sign(provenSession(t, s, seq + 1))],
  ["without a number", (t, s, seq) => sign(provenSession(t, s, seq, { seq: undefined }))],
  ["of another peer", (t, s, seq) => sign(provenSession(t, s, seq, {}, newKey()))],
  [
    "of another peer in the ticket's name",
    (t, s, seq) => sign(provenSession(t, s, seq, { iss: client.peerId }, newKey())),
  ],
  [
    "of an hour ago",
    (t, s, seq) => sign(provenSession(t, s, seq, { iat: nowS() - 3_600, exp: nowS() - 3_540 })),
  ],
  [
    "of the next hour",
    (t, s, seq) => sign(provenSession(t, s, seq, { iat: nowS() + 3_600, exp: nowS() + 3_660 })),
  ],
];

/** Ways around sealing, each with a ticket and a proof that are good. */
export const DOWNGRADES: readonly (readonly [
  tries: string,
  where: string,
  refusal: string,
  sent: Sent,
])[] = [
  [
    "the app's own path",
    "at POST /v1/chat/completions of a node",
    "404 not_found",
    { path: "/v1/chat/completions" },
  ],
  [
    "a path below the sealed one",
    "at POST /v1/sealed/ of a node",
    "404 not_found",
    { path: "/v1/sealed/" },
  ],
  [
    "a query that asks for less",
    "at POST /v1/sealed?plain=1 of a node",
    "404 not_found",
    { path: "/v1/sealed?plain=1" },
  ],
  [
    "the path in other letters",
    "at POST /v1/SEALED of a node",
    "404 not_found",
    { path: "/v1/SEALED" },
  ],
  [
    "to read what is there",
    "at GET /v1/sealed of a node",
    "405 method_not_allowed",
    { method: "GET" },
  ],
  ["another method", "at PUT /v1/sealed of a node", "405 method_not_allowed", { method: "PUT" }],
  [
    "another method by a header",
    "at GET /v1/sealed of a node",
    "405 method_not_allowed",
    { method: "GET", headers: { "x-http-method-override": "POST" } },
  ],
];
