import { expect, it } from "vitest";
import { openKnownKey } from "#coordinator/known-keys";
import { generatePrivateKey, openIdentity } from "#protocol/identity";

it("opens a key once, and tells each from the others", async () => {
  const peers = await Promise.all(
    Array.from({ length: 3 }, async () => openIdentity(await generatePrivateKey())),
  );
  const opened = await Promise.all(peers.map(({ publicKey }) => openKnownKey(publicKey)));
  expect(opened.map(({ peerId }) => peerId)).toEqual(peers.map(({ peerId }) => peerId));
  const probe = new Uint8Array([7]);
  for (const [place, { publicKey, sign }] of peers.entries()) {
    const again = await openKnownKey(publicKey);
    expect(again).toBe(opened[place]);
    const signature = new Uint8Array(await sign(probe));
    expect(await crypto.subtle.verify("Ed25519", again.key, signature, probe)).toBe(true);
  }
});
