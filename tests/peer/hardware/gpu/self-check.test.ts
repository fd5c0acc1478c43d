import { expect, it, onTestFinished } from "vitest";
import { openCpuDevice } from "#peer/hardware/cpu-device";
import type { ProofDevice } from "#peer/hardware/device";
import { checkGpu } from "#peer/hardware/gpu/self-check";

async function checkWith(tamper: (device: ProofDevice) => Partial<ProofDevice>): Promise<boolean> {
  const { signal } = new AbortController();
  const device = await openCpuDevice({ signal, threads: 1, tableBytes: 65_536 });
  onTestFinished(() => device.close());
  return checkGpu({ ...device, ...tamper(device) });
}

const flipped = (bytes: Uint8Array, at: number) => bytes.with(at, (bytes[at] ?? 0) ^ 1);

it("finds a device good that computes as the protocol does", async () => {
  expect(await checkWith(() => ({}))).toBe(true);
});

it("finds one bit in a row, in a digest of rows and in one of pages", async () => {
  const wrong: ((device: ProofDevice) => Partial<ProofDevice>)[] = [
    (device) => ({ leafRows: async (leaf) => flipped(await device.leafRows(leaf), 1_500) }),
    (device) => ({
      compute: async (work) => {
        const computed = await device.compute(work);
        return { ...computed, digests: flipped(computed.digests, 63 * 8) };
      },
    }),
    (device) => ({ pass: async (stream) => flipped(await device.pass(stream), 15 * 8 + 7) }),
  ];
  for (const tamper of wrong) expect(await checkWith(tamper)).toBe(false);
});
