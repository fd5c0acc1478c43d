import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
} from "node:crypto";

/** An X25519 key pair, made without protocol/ and without @hpke/core. */
export type X25519Key = {
  readonly kty: "OKP";
  readonly crv: "X25519";
  readonly x: string;
  readonly d: string;
};

/** The start of an X25519 private key in PKCS #8 (RFC 8410); the 32 bytes of the key follow. */
const PKCS8_PREFIX = Buffer.from("302e020100300506032b656e04220420", "hex");

export function x25519Named(name: string): X25519Key {
  const d = createHash("sha256").update(`troop golden vectors: ${name}`).digest();
  const key = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, d]),
    format: "der",
    type: "pkcs8",
  });
  const x = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  return { kty: "OKP", crv: "X25519", x: x.toString("base64url"), d: d.toString("base64url") };
}

/**
 * The exporter of HPKE's base mode (RFC 9180, 4 and 5.3) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, as
 * the sender with this ephemeral key gets it.
 */
export function hpkeExporter(
  recipient: X25519Key,
  ephemeral: X25519Key,
  info: Buffer,
): (about: string, bytes: number) => Buffer {
  const [enc, pk] = [ephemeral, recipient].map(({ x }) => Buffer.from(x, "base64url"));
  if (enc === undefined || pk === undefined) throw new Error("A key is missing.");
  const dh = diffieHellman({
    privateKey: createPrivateKey({ key: { ...ephemeral }, format: "jwk" }),
    publicKey: createPublicKey({
      key: { kty: "OKP", crv: "X25519", x: recipient.x },
      format: "jwk",
    }),
  });
  const kem = labelled(Buffer.from("KEM\0\x20", "latin1"));
  const shared = kem.expand(
    kem.extract(Buffer.alloc(0), "eae_prk", dh),
    "shared_secret",
    Buffer.concat([enc, pk]),
    32,
  );
  const hpke = labelled(Buffer.from("HPKE\0\x20\0\x01\0\x02", "latin1"));
  const context = Buffer.concat([
    Buffer.of(0),
    hpke.extract(Buffer.alloc(0), "psk_id_hash", Buffer.alloc(0)),
    hpke.extract(Buffer.alloc(0), "info_hash", info),
  ]);
  const secret = hpke.extract(shared, "secret", Buffer.alloc(0));
  const exporter = hpke.expand(secret, "exp", context, 32);
  return (about, bytes) => hpke.expand(exporter, "sec", Buffer.from(about), bytes);
}

/** RFC 9180, 4: LabeledExtract and LabeledExpand of one suite. */
function labelled(suite: Buffer) {
  return {
    extract: (salt: Buffer, label: string, key: Buffer): Buffer =>
      createHmac("sha256", salt)
        .update(Buffer.concat([Buffer.from("HPKE-v1"), suite, Buffer.from(label), key]))
        .digest(),
    expand(key: Buffer, label: string, info: Buffer, bytes: number): Buffer {
      const about = Buffer.concat([
        Buffer.of(bytes >> 8, bytes & 0xff),
        Buffer.from("HPKE-v1"),
        suite,
        Buffer.from(label),
        info,
      ]);
      if (bytes > 32) throw new Error("One block of HKDF is all that is needed here.");
      return createHmac("sha256", key)
        .update(Buffer.concat([about, Buffer.of(1)]))
        .digest()
        .subarray(0, bytes);
    },
  };
}

/** AES-256-GCM; ciphertext and tag. */
export function aesGcm(key: Buffer, nonce: Buffer, about: string, plain: Buffer): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonce);
  cipher.setAAD(Buffer.from(about));
  const sealed = cipher.update(plain);
  cipher.final();
  return Buffer.concat([sealed, cipher.getAuthTag()]);
}
