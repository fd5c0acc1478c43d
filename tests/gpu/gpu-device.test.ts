import { expect, it, onTestFinished } from "vitest";
import type { ProofDevice } from "#peer/hardware/device";
import { openGpuDevice } from "#peer/hardware/gpu/gpu-device";
import { proveHardware } from "#peer/hardware/prove";
import { stopBetween } from "#peer/hardware/stop-between";
import { coordinatorApi } from "#peer/coordinator/api";
import { keyOfA } from "#protocol/poh/matrix";
import { passStream } from "#protocol/poh/page-digest";
import { useCoordinator } from "#support/coordinator";
import { bindPasses, computeRows, digestsOf, NONCE, passOver, SEED } from "#support/hardware-run";
import { newPeer } from "#support/test-peer";

// Run by `npm run test:gpu`, on whatever Vulkan the machine has: a GPU's, or Mesa's in software.
const NODE = "n".repeat(43);
const coordinator = useCoordinator();

async function open(signal: AbortSignal = new AbortController().signal): Promise<ProofDevice> {
  const device = await openGpuDevice({ signal, allowSoftware: true, tableRows: 65_536 });
  onTestFinished(() => device.close());
  return device;
}

it("comes to the same digests, rows and passes as the CPU", async () => {
  const device = await open();
  const keyA = keyOfA(NONCE, NODE);
  const isEnough = (rows: number) => rows >= 1_024;
  const computed = await device.compute({ keyA, seed: SEED, maxRows: 2 ** 20, isEnough });
  const rows = computeRows(computed.rows, { nodeId: NODE });
  expect(new Uint8Array(computed.digests)).toEqual(digestsOf(rows));
  expect(computed.tableRows).toBe(computed.rows);
  const leaf = await device.leafRows(9);
  expect(leaf.subarray(0, 1_024)).toEqual(rows[576]);
  const stream = passStream(keyA);
  const { pages } = bindPasses(rows, 1, NONCE);
  expect(await device.pass(stream)).toEqual(passOver(pages, stream));
});

it("proves itself to the coordinator", async () => {
  const peer = await newPeer(coordinator().url);
  const { enrolment } = await peer.register();
  const device = await open();
  const passed = await proveHardware({
    api: coordinatorApi({ baseUrl: coordinator().url, identity: peer.identity }),
    enrolment,
    nodeId: peer.identity.peerId,
    device: { ...device, tableRowsWanted: 1_024 },
    stop: stopBetween(new AbortController().signal),
    steadyMs: () => performance.now(),
    onProgress: () => {},
  });
  expect(passed.standing).toMatchObject({ verified: true, basis: "proof" });
});

it("gives the GPU back when it is stopped in the middle of a run", async () => {
  const controller = new AbortController();
  const device = await open(controller.signal);
  const isEnough = () => {
    controller.abort();
    return false;
  };
  const work = { keyA: keyOfA(NONCE, NODE), seed: SEED, maxRows: 2 ** 20, isEnough };
  await expect(device.compute(work)).rejects.toMatchObject({ name: "ProofYielded" });
});
