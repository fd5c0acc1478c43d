import { expect, it, onTestFinished } from "vitest";
import { type CpuOptions, openCpuDevice } from "#peer/hardware/cpu-device";
import type { ProofDevice } from "#peer/hardware/device";
import { keyOfA } from "#protocol/poh/matrix";
import { passStream } from "#protocol/poh/page-digest";
import { bindPasses, computeRows, digestsOf, NONCE, passOver, SEED } from "#support/hardware-run";

const NODE = "n".repeat(43);
const work = { keyA: keyOfA(NONCE, NODE), seed: SEED, maxRows: 2 ** 20 };

async function open(options: Partial<CpuOptions> = {}): Promise<ProofDevice> {
  const device = await openCpuDevice({ signal: new AbortController().signal, ...options });
  onTestFinished(() => device.close());
  return device;
}

it("computes the same rows on three threads as on one", async () => {
  const device = await open({ threads: 3 });
  const computed = await device.compute({ ...work, isEnough: (rows) => rows >= 512 });
  expect(computed.rows).toBeGreaterThanOrEqual(512);
  const rows = computeRows(512, { nodeId: NODE });
  expect(computed.digests.length).toBe(8 * computed.rows);
  expect(computed.digests.slice(0, 8 * 512)).toEqual(digestsOf(rows));
  for (const leaf of [0, 5]) {
    const shown = await device.leafRows(leaf);
    expect(shown.subarray(0, 1_024)).toEqual(rows[64 * leaf]);
    expect(shown.subarray(63 * 1_024)).toEqual(rows[64 * leaf + 63]);
  }
});

it("keeps no more rows than it may, computes others again, and stops where it is told", async () => {
  const device = await open({ threads: 2, tableBytes: 128 * 1_024 });
  expect(device.tableRowsWanted).toBe(128);
  const computed = await device.compute({ ...work, maxRows: 256, isEnough: () => false });
  expect(computed).toMatchObject({ rows: 256, tableRows: 128 });
  const rows = computeRows(256, { nodeId: NODE });
  expect((await device.leafRows(3)).subarray(0, 1_024)).toEqual(rows[192]);

  const stream = passStream(work.keyA);
  const { pages } = bindPasses(rows.slice(0, 128), 1, NONCE);
  expect(await device.pass(stream)).toEqual(passOver(pages, stream));
});

it("gives the machine back when it is stopped, in the middle of a run too", async () => {
  const controller = new AbortController();
  const device = await open({ signal: controller.signal, threads: 1 });
  let computed = 0;
  const running = device.compute({
    ...work,
    maxRows: 2 ** 18,
    isEnough: (rows) => {
      computed = rows;
      if (rows > 0) controller.abort();
      return false;
    },
  });
  await expect(running).rejects.toMatchObject({ name: "ProofYielded" });
  // It did not go on until there were as many as it may make.
  expect(computed).toBeLessThan(2 ** 17);
  await expect(device.pass(passStream(NONCE))).rejects.toMatchObject({ name: "ProofYielded" });
});
