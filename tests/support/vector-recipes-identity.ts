import { STRANGER, CLIENT, keyFromSeed, RFC8037_SEED, sha256 } from "./vector-keys";
import type { VectorCase, VectorFile } from "./vector-case";

const RFC8037 = keyFromSeed(RFC8037_SEED);

/** RFC 8037 A.4: the signing input of its example, and the signature that must come of it. */
const RFC8037_INPUT = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
const RFC8037_SIGNATURE =
  "860c98d2297f3060a33f42739672d61b53cf3adefed3d3c672f320dc021b411e" +
  "9d59b8628dc351e248b88b29468e0e41855b0fb7d83bb15be902bfccb8cd0a02";

/** `x` of RFC 8037's key with a spare bit set: a lax decoder reads the same 32 bytes. */
const SECOND_SPELLING = `${RFC8037.publicKey.x.slice(0, -1)}p`;

export function identityVectors(): VectorFile {
  return {
    about:
      "Keys, peer ids (RFC 7638 thumbprints) and hashes. The first key, its thumbprint and its signature are RFC 8037's (A.1 to A.4).",
    cases: [
      {
        name: "the thumbprint of RFC 8037 A.3",
        op: "peer_id",
        input: {
          public_key: {
            kty: "OKP",
            crv: "Ed25519",
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
          },
        },
        expect: "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
      },
      {
        name: "the signature of RFC 8037 A.4",
        op: "sign_bytes",
        input: { private_key: RFC8037.privateKey, text: RFC8037_INPUT },
        expect: RFC8037_SIGNATURE,
      },
      opened("RFC 8037's key opens as an identity", RFC8037),
      opened("the client's key opens as an identity", CLIENT),
      {
        name: "a private part that does not belong to the public one opens nothing",
        op: "open_identity",
        input: { private_key: { ...CLIENT.publicKey, d: STRANGER.privateKey.d } },
        expect: "throws",
      },
      ...keyForms(),
      ...hashes(),
      ...userIds(),
    ],
  };
}

function opened(name: string, key: typeof CLIENT): VectorCase {
  const expect = { peer_id: key.peerId, public_key: key.publicKey };
  return { name, op: "open_identity", input: { private_key: key.privateKey }, expect };
}

function keyForms(): VectorCase[] {
  const good = RFC8037.publicKey;
  const publicOnes: [string, VectorCase["expect"], boolean][] = [
    ["a public key", good, true],
    ["a public key of 42 characters", { ...good, x: good.x.slice(1) }, false],
    ["a public key of 44 characters", { ...good, x: `A${good.x}` }, false],
    ["a padded public key", { ...good, x: `${good.x}=` }, false],
    ["a public key in base64 of the other alphabet", { ...good, x: `+${good.x.slice(1)}` }, false],
    ["a second spelling of a public key", { ...good, x: SECOND_SPELLING }, false],
    ["an X25519 key", { ...good, crv: "X25519" }, false],
    ["an elliptic curve key", { kty: "EC", crv: "P-256", x: good.x, y: good.x }, false],
    ["a symmetric key", { kty: "oct", k: good.x }, false],
    ["no key", null, false],
  ];
  const privateOnes: [string, VectorCase["expect"], boolean][] = [
    ["a key pair", RFC8037.privateKey, true],
    ["a public key for a pair", good, false],
    ["a key pair with a short private part", { ...RFC8037.privateKey, d: "AAAA" }, false],
  ];
  return [
    ...publicOnes.map((row) => parsed("parse_public_key", ...row)),
    ...privateOnes.map((row) => parsed("parse_private_key", ...row)),
  ];
}

function parsed(op: string, what: string, jwk: VectorCase["expect"], ok: boolean): VectorCase {
  const expect = ok ? "accepted" : "refused";
  return { name: `${what} is ${expect}`, op, input: { jwk }, expect };
}

function hashes(): VectorCase[] {
  const empty = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
  return [
    { name: "the hash of nothing", op: "hash_text", input: { text: "" }, expect: empty },
    {
      name: "the hash of abc (FIPS 180-2, B.1)",
      op: "hash_text",
      input: { text: "abc" },
      expect: "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0",
    },
    {
      name: "the hash of a text is that of its UTF-8 form",
      op: "hash_text",
      input: { text: "crédits 🐒" },
      expect: sha256("crédits 🐒"),
    },
    { name: "no body hashes as an empty one", op: "hash_body", input: {}, expect: empty },
    {
      name: "an empty body hashes as nothing",
      op: "hash_body",
      input: { body: "" },
      expect: empty,
    },
    {
      name: "a body hashes as its bytes",
      op: "hash_body",
      input: { body: "{}" },
      expect: sha256("{}"),
    },
  ];
}

function userIds(): VectorCase[] {
  return [
    userId(
      "sixteen zero bytes",
      Array.from({ length: 16 }, () => 0),
      "usr_00000000000000000000000000",
    ),
    userId(
      "sixteen bytes of 255",
      Array.from({ length: 16 }, () => 255),
      "usr_7zzzzzzzzzzzzzzzzzzzzzzzzz",
    ),
    // The ULID 01ARZ3NDEKTSV4RRFFQ69G5FAV and its bytes: an outside witness of the same base 32.
    userId(
      "the bytes of a known ULID",
      [1, 86, 62, 58, 181, 211, 214, 118, 76, 97, 239, 185, 147, 2, 189, 91],
      "usr_01arz3ndektsv4rrffq69g5fav",
    ),
    userId(
      "bytes beyond the sixteenth do not count",
      Array.from({ length: 20 }, (_, at) => (at < 16 ? 0 : 9)),
      "usr_00000000000000000000000000",
    ),
  ];
}

function userId(name: string, random: number[], expect: string): VectorCase {
  return { name: `a user id: ${name}`, op: "user_id", input: { random }, expect };
}
