import { expect, it } from "vitest";
import { openSealedKey, sealKey } from "#coordinator/seal-key";
import { generatePrivateKey } from "#protocol/identity";

const newKey = async (kid: string) => ({ ...(await generatePrivateKey()), kid });

it("opens a key under the key that sealed it, for the same id and time, and for nothing else", async () => {
  const [key, under, other] = await Promise.all([newKey("k"), newKey("u"), newKey("o")]);
  const sealed = await sealKey(key, 1_000, under);
  expect(sealed).not.toContain(key.d);
  expect(await openSealedKey({ kid: "k", sealed, signsFromMs: 1_000 }, under)).toEqual(key);
  expect(await openSealedKey({ kid: "k", sealed, signsFromMs: 1_000 }, other)).toBeUndefined();
  expect(await openSealedKey({ kid: "l", sealed, signsFromMs: 1_000 }, under)).toBeUndefined();
  expect(await openSealedKey({ kid: "k", sealed, signsFromMs: 1_001 }, under)).toBeUndefined();
  const bent = `${sealed.slice(0, 20)}${sealed[20] === "A" ? "B" : "A"}${sealed.slice(21)}`;
  for (const broken of [bent, "", "A", sealed.slice(0, 30), "not base64url!"]) {
    const row = { kid: "k", sealed: broken, signsFromMs: 1_000 };
    expect(await openSealedKey(row, under)).toBeUndefined();
  }
});
