import {
  forge,
  forgeHmac,
  forgeUnsigned,
  withMalleatedSignature,
  withSignature,
  withSpareBit,
} from "./vector-forge";
import { COORDINATOR, STRANGER, type VectorKey } from "./vector-keys";
import type { VectorCase } from "./vector-case";

/** The moment of every vector. */
export const NOW_MS = 1_800_000_000_000;
export const NOW_S = NOW_MS / 1_000;

export type Claims = Readonly<Record<string, VectorCase["expect"]>>;

/** What the attacks on one kind of token need to know of it. */
export type Kind = {
  /** `a proof`, `a ticket`, … for the names. */
  readonly what: string;
  readonly typ: string;
  /** Header fields beside `alg` and `typ`. */
  readonly header: Claims;
  readonly claims: Claims;
  readonly key: VectorKey;
  /** A vector that verifies a token and expects this. */
  readonly verify: (
    name: string,
    jws: VectorCase["expect"],
    expect: VectorCase["expect"],
  ) => VectorCase;
};

const TYPES = ["troop-proof+jwt", "troop-ticket+jwt", "troop-enrolment+jwt", "troop-e2e-key+jwt"];

export function refusal(reason: string, more: Claims = {}): Claims {
  return { ok: false, reason, ...more };
}

export function badClaims(field: string): Claims {
  return refusal("bad_claims", { field });
}

/** A token of this kind that is right in all but what is changed here; `undefined` leaves a claim out. */
export function forged(
  kind: Kind,
  changes: Readonly<Record<string, unknown>> = {},
  header: Readonly<Record<string, unknown>> = {},
  key: VectorKey = kind.key,
): string {
  return forge(
    { ...kind.header, alg: "EdDSA", typ: kind.typ, ...header },
    { ...kind.claims, ...changes },
    key,
  );
}

/** Attacks that no kind of token may survive. */
export function attacks(kind: Kind): VectorCase[] {
  const good = forged(kind);
  const [head = "", body = "", tail = ""] = good.split(".");
  const header = { ...kind.header, typ: kind.typ };
  const signature = Buffer.from(tail, "base64url");
  const flipped = Buffer.from(signature);
  flipped[0] = (flipped[0] ?? 0) ^ 1;

  const malformed: [string, VectorCase["expect"]][] = [
    ["with alg none and no signature", forgeUnsigned(header, kind.claims)],
    ["with alg none and a signature", `${forgeUnsigned(header, kind.claims)}${tail}`],
    ...keyedHashes(kind),
    ["with alg Ed25519, EdDSA's newer name", forged(kind, {}, { alg: "Ed25519" })],
    ["with alg ES256", forged(kind, {}, { alg: "ES256" })],
    ["with alg in lower case", forged(kind, {}, { alg: "eddsa" })],
    ["with no alg", forged(kind, {}, { alg: undefined })],
    ["with a critical extension that nobody knows", forged(kind, {}, { crit: ["exp"], exp: 1 })],
    ["with an unencoded payload", forged(kind, {}, { crit: ["b64"], b64: false })],
    ["whose header is no object", forge("[]", kind.claims, kind.key)],
    ["whose header is no JSON", forge("{", kind.claims, kind.key)],
    ["whose payload is no JSON", forge({ ...header, alg: "EdDSA" }, "no JSON", kind.key)],
    ["whose payload is a list", forge({ ...header, alg: "EdDSA" }, "[]", kind.key)],
    [
      "whose payload is no UTF-8",
      forge({ ...header, alg: "EdDSA" }, Uint8Array.of(0x7b, 0xff, 0x7d), kind.key),
    ],
    ["of nothing", ""],
    ["of two dots", ".."],
    ["of one part", head],
    ["of two parts", `${head}.${body}`],
    ["of four parts", `${good}.${tail}`],
    ["of five parts, as of an encrypted one", `${head}..${body}.${tail}.${tail}`],
    ["with an empty signature", `${head}.${body}.`],
    ["truncated by one character", good.slice(0, -1)],
    ["truncated in its payload", `${head}.${body.slice(0, -8)}`],
    ["with a signature of 63 bytes", withSignature(good, signature.subarray(0, 63))],
    ["with a signature of 65 bytes", withSignature(good, Buffer.concat([signature, Buffer.of(0)]))],
    ["with a spare bit of the signature set", withSpareBit(good)],
    ["with padding", `${good}==`],
    ["with a line break at its end", `${good}\n`],
    ["with a space in its signature", `${good.slice(0, -4)} ${good.slice(-4)}`],
    ["with a character beyond ASCII", `${head}.é${body}.${tail}`],
    ["of a million letters", { repeat: "A", times: 1_000_000 }],
    ["of a million dots", { repeat: ".", times: 1_000_000 }],
  ];
  const badSignatures: [string, string][] = [
    ["with one bit of its signature flipped", withSignature(good, flipped)],
    ["with a signature of zeros", withSignature(good, Buffer.alloc(64))],
    ["with S + L for S in its signature", withMalleatedSignature(good)],
    ["signed by a stranger", forged(kind, {}, {}, STRANGER)],
  ];
  const wrongTypes: [string, string][] = [
    ...TYPES.filter((typ) => typ !== kind.typ).map((typ): [string, string] => [
      `whose typ is ${typ}`,
      forged(kind, {}, { typ }),
    ]),
    ["whose typ is JWT", forged(kind, {}, { typ: "JWT" })],
    ["with no typ", forged(kind, {}, { typ: undefined })],
    ["whose typ is a number", forged(kind, {}, { typ: 1 })],
  ];
  const refuse =
    (reason: string) =>
    ([name, jws]: [string, VectorCase["expect"]]) =>
      kind.verify(`refuses ${kind.what} ${name}`, jws, refusal(reason));
  return [
    ...malformed.map(refuse("malformed")),
    ...badSignatures.map(refuse("bad_signature")),
    ...wrongTypes.map(refuse("wrong_type")),
  ];
}

/** Claims that have another shape, one at a time; each refusal names the claim. */
export function misshapen(
  kind: Kind,
  rows: readonly (readonly [
    what: string,
    changes: Readonly<Record<string, unknown>>,
    field: string,
  ])[],
): VectorCase[] {
  return rows.map(([what, changes, field]) =>
    kind.verify(`refuses ${kind.what} with ${what}`, forged(kind, changes), badClaims(field)),
  );
}

/** Vectors that leave out each of these claims in turn. */
export function missing(kind: Kind, fields: readonly string[]): VectorCase[] {
  return misshapen(
    kind,
    fields.map((field) => [`no ${field}`, { [field]: undefined }, field] as const),
  );
}

/** The classic: a verifier that lets the header choose takes the public key for a shared secret. */
function keyedHashes(kind: Kind): [string, string][] {
  const header = { ...kind.header, typ: kind.typ };
  const { x } = kind.key.publicKey;
  const secrets = [
    ["bytes", Buffer.from(x, "base64url")],
    ["text", x],
    ["PEM", `-----BEGIN PUBLIC KEY-----\n${spkiOf(kind.key)}\n-----END PUBLIC KEY-----`],
  ] as const;
  return (["HS256", "HS512"] as const).flatMap((alg) =>
    secrets.map(([form, secret]): [string, string] => [
      `with ${alg}, the public key's ${form} as secret`,
      forgeHmac(alg, header, kind.claims, secret),
    ]),
  );
}

function spkiOf(key: VectorKey): string {
  const prefix = Buffer.from("302a300506032b6570032100", "hex");
  return Buffer.concat([prefix, Buffer.from(key.publicKey.x, "base64url")]).toString("base64");
}

/** The coordinator's tokens name their key. */
export const KID = `key-${COORDINATOR.peerId.slice(0, 8)}`;
