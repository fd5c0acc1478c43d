import type { CoordinatorApi } from "../coordinator/api";
import { withEnrolment } from "../home/enrol";
import type { Home } from "../home/home";
import { openCpuDevice } from "./cpu-device";
import { type ProofDevice, ProofYielded } from "./device";
import { GpuFailed, openGpuDevice } from "./gpu/gpu-device";
import { NoGpu } from "./gpu/gpu-kernel";
import { type Passed, type Progress, proveHardware } from "./prove";
import { type StopBetween, stopBetween } from "./stop-between";

export type ProofRun = {
  readonly passed: Passed;
  readonly device: Pick<ProofDevice, "path" | "label">;
  /** Why it was not the GPU, where it was not. */
  readonly whyNoGpu?: string;
};

export type ProofOptions = {
  readonly signal: AbortSignal;
  /** Waits for the moment with its device open; on `performance`'s clock. */
  readonly startsAtMs?: number;
  /** Throws `NoGpu` instead of taking the CPU. */
  readonly needsGpu?: boolean;
  readonly onProgress?: (progress: Progress) => void;
  /** For tests: another GPU than this machine's. */
  readonly openGpu?: typeof openGpuDevice;
};

/**
 * Opens the best device there is, proves it to the coordinator and gives it back. A GPU that cannot be used, or whose
 * driver breaks off, makes room for the CPU. Throws as `proveHardware` does.
 */
export async function runProof(
  home: Home,
  api: CoordinatorApi,
  options: ProofOptions,
): Promise<ProofRun> {
  const { needsGpu = false, openGpu = openGpuDevice } = options;
  const stop = stopBetween(options.signal);
  const { signal } = stop;
  try {
    let whyNoGpu: string;
    try {
      return await proveWith(await openGpu({ signal }), home, api, { ...options, stop });
    } catch (error) {
      const isGpus = error instanceof NoGpu || error instanceof GpuFailed;
      if (!isGpus || needsGpu) throw error;
      whyNoGpu = error.message;
    }
    const run = await proveWith(await openCpuDevice({ signal }), home, api, { ...options, stop });
    return { ...run, whyNoGpu };
  } finally {
    stop.end();
  }
}

async function proveWith(
  device: ProofDevice,
  home: Home,
  api: CoordinatorApi,
  { onProgress = () => {}, startsAtMs, stop }: ProofOptions & { readonly stop: StopBetween },
): Promise<ProofRun> {
  const steadyMs = () => performance.now();
  try {
    const waitMs = (startsAtMs ?? 0) - steadyMs();
    if (waitMs > 0) await Bun.sleep(waitMs);
    if (stop.signal.aborted) throw new ProofYielded("The run was stopped.");
    const passed = await withEnrolment(home, api, ({ enrolment, peer_id: nodeId }) =>
      proveHardware({ api, enrolment, nodeId, device, stop, steadyMs, onProgress }),
    );
    return { passed, device };
  } finally {
    await device.close();
  }
}
