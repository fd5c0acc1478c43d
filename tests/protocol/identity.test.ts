import * as fc from "fast-check";
import { expect, it } from "vitest";
import {
  generatePrivateKey,
  importPublicKey,
  openIdentity,
  PeerId,
  peerIdOf,
  PrivateKey,
  PublicKey,
} from "#protocol/identity";
import { peerId } from "./arbitraries";
import { boundsOf } from "./schema-bounds";

const KEY = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
const SEED = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";

const WRONG_BYTES = [
  ["one character too few", KEY.x.slice(1)],
  ["one character too many", `A${KEY.x}`],
  ["a character of the other alphabet", `+${KEY.x.slice(1)}`],
  ["padding", `${KEY.x}=`],
  ["a line break at the end", `${KEY.x}\n`],
  ["a second spelling of the same bytes", `${KEY.x.slice(0, -1)}p`],
] as const;

boundsOf("PublicKey", PublicKey, KEY, {
  refuses: [
    ...WRONG_BYTES.map(([what, x]) => [`${what} in x`, "x", x] as const),
    ["another curve", "crv", "X25519"],
    ["another kind of key", "kty", "EC"],
  ],
});

boundsOf(
  "PrivateKey",
  PrivateKey,
  { ...KEY, d: SEED },
  {
    refuses: [
      ["a short private part", "d", SEED.slice(1)],
      ["a second spelling of the private part", "d", `${SEED.slice(0, -1)}B`],
    ],
  },
);

it("every 32 bytes in base64url are taken as a peer's id, and as a key", () => {
  fc.assert(
    fc.property(peerId, (id) => {
      expect(PeerId.parse(id)).toBe(id);
      expect(PublicKey.parse({ ...KEY, x: id }).x).toBe(id);
    }),
  );
});

it("a peer's id is none of another length or alphabet", () => {
  for (const id of [
    "",
    "a".repeat(42),
    "a".repeat(44),
    `${"a".repeat(42)}+`,
    `${"a".repeat(43)}\n`,
  ]) {
    expect(PeerId.safeParse(id).success).toBe(false);
  }
});

it("a new key is another each time, and opens as an identity with its own id", async () => {
  const keys = await Promise.all([generatePrivateKey(), generatePrivateKey()]);
  const [one, two] = await Promise.all(keys.map((key) => openIdentity(key)));
  expect(one?.peerId).not.toBe(two?.peerId);
  expect(one?.peerId).toBe(await peerIdOf(PublicKey.parse(keys[0])));
});

it("an identity's public key holds nothing private, and its signing key cannot be read out", async () => {
  const identity = await openIdentity(await generatePrivateKey());
  expect(Object.keys(identity.publicKey).toSorted()).toEqual(["crv", "kty", "x"]);
  await expect(crypto.subtle.exportKey("jwk", identity.signingKey)).rejects.toThrow();
});

it("what an identity signs, its public key verifies, and no other key does", async () => {
  const identity = await openIdentity(await generatePrivateKey());
  const other = await openIdentity(await generatePrivateKey());
  await fc.assert(
    fc.asyncProperty(fc.uint8Array(), async (data) => {
      const bytes = Uint8Array.from(data);
      const signature = await crypto.subtle.sign("Ed25519", identity.signingKey, bytes);
      const verifies = async ({ publicKey }: { publicKey: PublicKey }) =>
        crypto.subtle.verify("Ed25519", await importPublicKey(publicKey), signature, bytes);
      expect(await verifies(identity)).toBe(true);
      expect(await verifies(other)).toBe(false);
    }),
    { numRuns: 20 },
  );
});

it("a private part of another key opens no identity", async () => {
  const [one, two] = await Promise.all([generatePrivateKey(), generatePrivateKey()]);
  await expect(openIdentity({ ...one, d: two.d })).rejects.toThrow();
});
