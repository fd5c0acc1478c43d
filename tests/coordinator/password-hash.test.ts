import { scryptSync } from "node:crypto";
import { expect, it } from "vitest";
import { hashPassword, isOutdated, isPassword } from "#coordinator/password-hash";

const PASSWORD = "a long one: Ünïcödé";

it("knows a password by its hash, which no other one has and no second hash equals", async () => {
  const hash = await hashPassword(PASSWORD);
  expect(hash).toMatch(/^scrypt\$ln=14,r=8,p=5\$[\w-]{22}\$[\w-]{43}$/);
  expect(await isPassword(PASSWORD, hash)).toBe(true);
  expect(await isPassword(`${PASSWORD} `, hash)).toBe(false);
  expect(await hashPassword(PASSWORD)).not.toBe(hash);
  expect(isOutdated(hash)).toBe(false);
});

it("takes a password in composed and in decomposed letters", async () => {
  const hash = await hashPassword(PASSWORD.normalize("NFD"));
  expect(await isPassword(PASSWORD.normalize("NFC"), hash)).toBe(true);
});

it("knows hashes that were made at another cost, and that they are to be made anew", async () => {
  const salt = Buffer.from("sixteen bytes ..");
  const key = scryptSync(PASSWORD.normalize("NFKC"), salt, 32, { N: 2 ** 12, r: 8, p: 1 });
  const hash = `scrypt$ln=12,r=8,p=1$${salt.toString("base64url")}$${key.toString("base64url")}`;
  expect(await isPassword(PASSWORD, hash)).toBe(true);
  expect(await isPassword("another one that is long", hash)).toBe(false);
  expect(isOutdated(hash)).toBe(true);
});
