import { createHmac } from "node:crypto";
import type { VectorCase, VectorFile } from "./vector-case";
import { aesGcm, hpkeExporter, x25519Named } from "./vector-hpke";
import { NODE, OTHER_NODE } from "./vector-keys";
import {
  attacks,
  badClaims,
  type Claims,
  forged,
  type Kind,
  misshapen,
  missing,
  NOW_MS,
  NOW_S,
  refusal,
} from "./vector-tokens";

const NODE_KEY = x25519Named("node's end-to-end key");
const OTHER_KEY = x25519Named("another end-to-end key");
const EPHEMERAL = x25519Named("an ephemeral key");
const LEASE = "0f2b6bd4-6a1e-4d0e-9a52-3d9c2a1b7c11";
const DAYS_30 = 30 * 24 * 60 * 60;
const SALT = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");

const CLAIMS = { iss: NODE.peerId, x: NODE_KEY.x, iat: NOW_S, exp: NOW_S + DAYS_30 };

const KEY: Kind = {
  what: "an end-to-end key",
  typ: "troop-e2e-key+jwt",
  header: { jwk: NODE.publicKey },
  claims: CLAIMS,
  key: NODE,
  verify: (name, jws, expect) => verifyKey(name, jws, expect),
};

export function e2eVectors(): VectorFile {
  return {
    about:
      "End-to-end encryption: a node's certified key, the session's keys (HPKE's exports, then the salt of an answer), sealed messages record by record, and the mark that shows who asks.",
    cases: [...keys(), ...sessions(), ...messages(), ...marks()],
  };
}

function verifyKey(
  name: string,
  jws: VectorCase["expect"],
  expect: VectorCase["expect"],
  changes: Claims = {},
): VectorCase {
  const input = { jws, node_id: NODE.peerId, now_ms: NOW_MS, ...changes };
  return { name, op: "verify_e2e_key", input, expect };
}

function keys(): VectorCase[] {
  const sign = { private_key: NODE.privateKey, x: NODE_KEY.x, now_ms: NOW_MS };
  const good = { ok: true, value: CLAIMS };
  const others = forged(KEY, { iss: OTHER_NODE.peerId }, { jwk: OTHER_NODE.publicKey }, OTHER_NODE);
  return [
    { name: "certifies a key", op: "sign_e2e_key", input: sign, expect: forged(KEY) },
    verifyKey("takes the node's own key", forged(KEY), good),
    verifyKey("takes it in the last second of the skew", forged(KEY), good, {
      now_ms: NOW_MS + (DAYS_30 + 29) * 1_000,
    }),
    verifyKey("refuses it after that", forged(KEY), refusal("expired"), {
      now_ms: NOW_MS + (DAYS_30 + 30) * 1_000,
    }),
    verifyKey("refuses another node's, which that node certified", others, refusal("wrong_key")),
    verifyKey(
      "refuses another key that names the node",
      forged(KEY, {}, { jwk: OTHER_NODE.publicKey }, OTHER_NODE),
      refusal("wrong_key"),
    ),
    verifyKey(
      "refuses a key in another node's name",
      forged(KEY, { iss: OTHER_NODE.peerId }),
      refusal("wrong_issuer"),
    ),
    verifyKey(
      "refuses one that lives a second too long",
      forged(KEY, { exp: NOW_S + DAYS_30 + 1 }),
      refusal("lives_too_long"),
    ),
    verifyKey(
      "refuses a header that shows the private key",
      forged(KEY, {}, { jwk: NODE.privateKey }),
      refusal("malformed"),
    ),
    verifyKey("refuses no header key", forged(KEY, {}, { jwk: undefined }), refusal("malformed")),
    ...attacks(KEY),
    ...missing(KEY, ["x", "iat"]),
    ...misshapen(KEY, [
      ["a key of 31 bytes", { x: NODE_KEY.x.slice(1) }, "x"],
      ["a second spelling of its key", { x: `${NODE_KEY.x.slice(0, -1)}~` }, "x"],
      ["a number for a key", { x: 5 }, "x"],
    ]),
    verifyKey("refuses one without an end", forged(KEY, { exp: undefined }), badClaims("exp")),
  ];
}

function sessions(): VectorCase[] {
  const accept = (
    name: string,
    expect: VectorCase["expect"],
    changes: Claims = {},
  ): VectorCase => ({
    name,
    op: "accept_session",
    input: {
      private_key: { ...NODE_KEY },
      enc: EPHEMERAL.x,
      lease_id: LEASE,
      node_id: NODE.peerId,
      salt: SALT.toString("hex"),
      ...changes,
    },
    expect,
  });
  const other = "1".repeat(43);
  return [
    accept("a session's keys", sessionKeys()),
    accept("another lease's are others", sessionKeys({ lease: other }), { lease_id: other }),
    accept("another node's are others", sessionKeys({ node: other }), { node_id: other }),
    accept(
      "where lease and node share their letters otherwise, they are others",
      sessionKeys({ lease: `${LEASE}${NODE.peerId.slice(0, 1)}`, node: NODE.peerId.slice(1) }),
      { lease_id: `${LEASE}${NODE.peerId.slice(0, 1)}`, node_id: NODE.peerId.slice(1) },
    ),
    accept("another key's are others", sessionKeys({ recipient: OTHER_KEY }), {
      private_key: { ...OTHER_KEY },
    }),
    accept("another salt gives another answer key", sessionKeys({ salt: Buffer.of(1) }), {
      salt: "01",
    }),
    accept("a point with which no secret can be shared is refused", "refused", {
      enc: Buffer.alloc(32).toString("base64url"),
    }),
    accept("a point of small order is refused", "refused", {
      enc: Buffer.from("01".padEnd(64, "0"), "hex").toString("base64url"),
    }),
    accept("31 bytes are no key", "refused", { enc: Buffer.alloc(31, 9).toString("base64url") }),
    accept("nothing is no key", "refused", { enc: "" }),
  ];
}

function sessionKeys({
  recipient = NODE_KEY,
  lease = LEASE,
  node = NODE.peerId,
  salt = SALT,
} = {}): Claims {
  const parts = ["troop e2e v1", lease, node].map((part) => Buffer.from(part));
  const info = Buffer.concat(
    parts.flatMap((part) => [Buffer.of(part.length >> 8, part.length & 0xff), part]),
  );
  const export_ = hpkeExporter(recipient, EPHEMERAL, info);
  return {
    request_key: export_("request key", 32).toString("hex"),
    answer_key: createHmac("sha256", export_("answer key", 32)).update(salt).digest("hex"),
  };
}

const MESSAGE_KEY = Buffer.from("0f".repeat(32), "hex");
const HEAD = Buffer.from('{"status":200}');
const BODY = Buffer.from("Hello.");

/** seq | number | place, as protocol.md draws it. */
function nonce(seq: number, record: bigint, place: number): Buffer {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt32BE(seq, 0);
  bytes.write(record.toString(16).padStart(14, "0"), 4, "hex");
  bytes.writeUInt8(place, 11);
  return bytes;
}

function sealed(records: readonly Buffer[], seq = 5, about = "answer", first = 0n): Buffer {
  return Buffer.concat(
    records.flatMap((plain, at) => {
      const isLast = at === records.length - 1;
      const header = Buffer.alloc(4);
      header.writeUInt32BE(plain.length + 16 + (isLast ? 2 ** 31 : 0));
      const place = isLast ? 1 : 0;
      return [header, aesGcm(MESSAGE_KEY, nonce(seq, first + BigInt(at), place), about, plain)];
    }),
  );
}

function messages(): VectorCase[] {
  const input = { key: MESSAGE_KEY.toString("hex"), about: "answer", seq: 5 };
  const hex = (bytes: Buffer): string => bytes.toString("hex");
  const seal = (name: string, records: readonly Buffer[], seq = 5, first = 0): VectorCase => ({
    name,
    op: "seal_message",
    input: { ...input, seq, first, records: records.map(hex) },
    expect: hex(sealed(records, seq, "answer", BigInt(first))),
  });
  const open = (
    name: string,
    bytes: Buffer,
    expect: VectorCase["expect"],
    changes: Claims = {},
  ): VectorCase => ({
    name,
    op: "open_message",
    input: { ...input, sealed: hex(bytes), ...changes },
    expect,
  });
  const good = sealed([HEAD, BODY, BODY]);
  const last = sealed([BODY]);
  const flip = (at: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    return bytes;
  };
  const first = 4 + HEAD.length + 16;
  const second = 4 + BODY.length + 16;
  const at = (from: number, bytes: number): Buffer => good.subarray(from, from + bytes);
  const swapped = [at(0, first), at(first + second, second), at(first, second)];
  const firstAsLast = Buffer.from(at(0, first));
  firstAsLast[0] = 0x80;
  return [
    seal("a head and two parts", [HEAD, BODY, BODY]),
    seal("a head and an empty end", [HEAD, Buffer.alloc(0)]),
    seal("the highest number of a request", [HEAD, BODY], 2 ** 31 - 1),
    seal("a record's number beyond 32 bits", [BODY], 1, 2 ** 40 + 2 ** 33 + 7),
    seal("a full record", [HEAD, Buffer.alloc(65_536, 1)]),
    open("opens a message", good, [HEAD, BODY, BODY].map(hex)),
    open("refuses it under another number", good, "refused", { seq: 6 }),
    open("refuses it as a request", good, "refused", { about: "request" }),
    open("refuses it under another key", good, "refused", { key: "0e".repeat(32) }),
    open("refuses it without its last record", good.subarray(0, -second), "refused"),
    open("refuses it without its last byte", good.subarray(0, -1), "refused"),
    open("refuses its first record as its last", firstAsLast, "refused"),
    open("refuses swapped records", Buffer.concat(swapped), "refused"),
    open("refuses a record twice", Buffer.concat([at(0, first), good]), "refused"),
    open("refuses a missing record", Buffer.concat([at(0, first), last]), "refused"),
    open("refuses anything behind its end", Buffer.concat([good, Buffer.of(0)]), "refused"),
    open("refuses a flipped bit of a ciphertext", flip(5), "refused"),
    open("refuses a flipped bit of a tag", flip(first - 1), "refused"),
    open("refuses a flipped mark of the end", flip(first), "refused"),
    open("refuses an empty record in the middle", sealed([HEAD, Buffer.alloc(0), BODY]), "refused"),
    open("refuses a record too long", Buffer.from("00010011", "hex"), "refused"),
    open("refuses a record shorter than a tag", Buffer.from("8000000f", "hex"), "refused"),
    open("refuses a message of no bytes", Buffer.alloc(0), "refused"),
    {
      name: "the tag of a call",
      op: "call_tag",
      input: { ...input, about: "request" },
      expect: hex(aesGcm(MESSAGE_KEY, nonce(5, 0n, 2), "request", Buffer.alloc(0))),
    },
  ];
}

function marks(): VectorCase[] {
  const tag = "A".repeat(22);
  const enc = EPHEMERAL.x;
  const parse = (name: string, text: string, expect: VectorCase["expect"]): VectorCase => ({
    name,
    op: "parse_session_mark",
    input: { text },
    expect,
  });
  return [
    parse("reads a mark", `${enc}.7.${tag}`, { enc, seq: 7, tag }),
    parse("reads the highest number", `${enc}.2147483647.${tag}`, { enc, seq: 2 ** 31 - 1, tag }),
    parse("refuses a number beyond it", `${enc}.2147483648.${tag}`, "refused"),
    parse("refuses a second spelling of a number", `${enc}.07.${tag}`, "refused"),
    parse("refuses a number below 0", `${enc}.-1.${tag}`, "refused"),
    parse("refuses a second spelling of a session", `${"A".repeat(42)}B.7.${tag}`, "refused"),
    parse("refuses a longer tag", `${enc}.7.${tag}A`, "refused"),
    parse("refuses a part more", `${enc}.7.${tag}.`, "refused"),
    parse("refuses no tag", `${enc}.7`, "refused"),
    parse("refuses a mark of no letters", "", "refused"),
  ];
}
