import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { z } from "zod";
import { coordinatorApi } from "#peer/coordinator/api";
import { CoordinatorProblem } from "#peer/coordinator/errors";
import { openCpuDevice } from "#peer/hardware/cpu-device";
import type { ProofDevice } from "#peer/hardware/device";
import { openGpuDevice } from "#peer/hardware/gpu/gpu-device";
import { NoGpu } from "#peer/hardware/gpu/gpu-kernel";
import { GPU_CHILD } from "#peer/hardware/gpu/messages";
import { proveHardware } from "#peer/hardware/prove";
import { stopBetween } from "#peer/hardware/stop-between";
import { HardwareStanding } from "#protocol/hardware";
import { useCoordinator } from "#support/coordinator";
import { runTroop } from "#support/network";
import { newPeer } from "#support/test-peer";
import { troopBinary } from "#support/troop-binary";

const coordinator = useCoordinator();
const RUN_MS = 120_000;

let binary: string;
beforeAll(async () => {
  binary = await troopBinary();
});

const Benchmark = z.strictObject({
  schema: z.literal("troop.benchmark/1"),
  verified: z.boolean(),
  multiplier: z.number(),
  run_multiplier: z.number(),
  path: z.enum(["cpu", "gpu"]),
  device: z.string(),
  compute_ops: z.int(),
  memory_bytes: z.int(),
  standing: HardwareStanding,
});

it(
  "troop benchmark ends with a verified multiplier, from a fresh home, with a GPU or without",
  async () => {
    const home = await mkdtemp(join(tmpdir(), "troop-benchmark-"));
    onTestFinished(() => rm(home, { recursive: true, force: true }));
    const args = ["benchmark", "--coordinator", coordinator().url];
    const said = Benchmark.parse(await runTroop(binary, home, args));
    expect(said).toMatchObject({ verified: true, standing: { basis: "proof" } });
    expect(said.multiplier).toBe(said.run_multiplier);
    // A single core without SIMD does more than this.
    expect(said.compute_ops).toBeGreaterThan(1e9);
    expect(said.memory_bytes).toBeGreaterThan(1e7);
    expect(said.standing.multiplier).toBe(said.multiplier);
  },
  RUN_MS,
);

it(
  "the executable brings its GPU path along, and says what it finds there",
  async () => {
    const { signal } = new AbortController();
    const opened = openGpuDevice({ signal, command: [binary, GPU_CHILD] }).then(
      async (device) => {
        await device.close();
        return "it is used";
      },
      (error: unknown) => (error instanceof NoGpu ? error.message : error),
    );
    // Not that it has none, nor that it could not be loaded.
    expect(await opened).toMatch(/it is used|no GPU was found|is not used|has no dot products/);
  },
  RUN_MS,
);

/** The real device, but for what a test makes it do wrong. */
async function proveWith(
  tamper: (device: ProofDevice) => Partial<ProofDevice>,
  keptDigestBytes?: number,
): Promise<unknown> {
  const peer = await newPeer(coordinator().url);
  const { enrolment } = await peer.register();
  const { signal } = new AbortController();
  const device = await openCpuDevice({ signal, tableBytes: 2 ** 24 });
  onTestFinished(() => device.close());
  return proveHardware({
    api: coordinatorApi({ baseUrl: coordinator().url, identity: peer.identity }),
    enrolment,
    nodeId: peer.identity.peerId,
    device: { ...device, ...tamper(device) },
    stop: stopBetween(signal),
    steadyMs: () => performance.now(),
    onProgress: () => {},
    ...(keptDigestBytes !== undefined && { keptDigestBytes }),
  });
}

it(
  "takes an honest run, also where the passes that are asked for have to be made again",
  async () => {
    const passed = await proveWith(() => ({}), 0);
    expect(passed).toMatchObject({ status: "passed", standing: { verified: true } });
  },
  RUN_MS,
);

const refused = expect.objectContaining({
  name: "CoordinatorProblem",
  problem: expect.objectContaining({ code: "hardware_refused" }) as unknown,
}) as CoordinatorProblem;

it(
  "refuses a run that bound twice as many rows as it computed",
  async () => {
    const run = proveWith((device) => ({
      compute: async (work) => {
        const { digests, rows, tableRows } = await device.compute(work);
        const twice = new Uint8Array(2 * digests.length);
        twice.set(digests);
        crypto.getRandomValues(twice.subarray(digests.length, digests.length + 65_536));
        return { digests: twice, rows: 2 * rows, tableRows };
      },
    }));
    await expect(run).rejects.toEqual(refused);
  },
  RUN_MS,
);

it(
  "refuses a run that read its memory once and wrote digests down for many passes",
  async () => {
    let first: Uint8Array | undefined;
    const run = proveWith((device) => ({
      pass: async (stream) => (first ??= await device.pass(stream)),
    }));
    await expect(run).rejects.toEqual(refused);
  },
  RUN_MS,
);
