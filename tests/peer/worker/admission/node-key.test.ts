import { expect, it } from "vitest";
import { openHome } from "#peer/home/open-home";
import { openNodeKey } from "#peer/worker/admission/node-key";
import { verifyE2eKey } from "#protocol/e2e-key";
import { temporaryFolder } from "../../home/temporary-folder";
import { engine, startWorker } from "../worker-under-test";

const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 24 * 60 * 60 * 1_000;

it("certifies the same key anew each day, so that it never ends", async () => {
  const home = await openHome(await temporaryFolder());
  const key = await openNodeKey(home, () => {});
  const first = await key.token(NOW);
  expect(await key.token(NOW + DAY_MS - 1)).toBe(first);
  const second = await key.token(NOW + DAY_MS);
  const verify = (token: string, atMs: number) => verifyE2eKey(token, home.identity.peerId, atMs);
  const [one, two] = [await verify(first, NOW), await verify(second, NOW + 30 * DAY_MS)];
  if (!one.ok || !two.ok) throw new Error("A key is not good.");
  expect(two.value.x).toBe(one.value.x);
  expect(two.value.iat).toBe(one.value.iat + DAY_MS / 1_000);
});

it("certifies a key of now where the clock was set back", async () => {
  const key = await openNodeKey(await openHome(await temporaryFolder()), () => {});
  const future = await key.token(NOW + 400 * DAY_MS);
  expect(await key.token(NOW)).not.toBe(future);
});

it("a worker shows its key with each heartbeat, the same one after it was started again", async () => {
  const demo = engine();
  const first = await startWorker({ engines: [demo.url] });
  await first.stop();
  const second = await startWorker({ engines: [demo.url], home: first.home });
  const keys = [first, second].map(async ({ network, nodeId }) => {
    const { e2e_key } = await network.heartbeats.until(() => true);
    const verified = await verifyE2eKey(e2e_key, nodeId, Date.now());
    return verified.ok ? verified.value.x : verified.reason;
  });
  const [before, after] = await Promise.all(keys);
  expect(before).toMatch(/^[\w-]{43}$/);
  expect(after).toBe(before);
});
