import type { CoordinatorApi } from "../coordinator/api";
import { withEnrolment } from "../home/enrol";
import type { Home } from "../home/home";
import { openCpuDevice } from "./cpu-device";
import type { ProofDevice } from "./device";
import { type Passed, type Progress, proveHardware } from "./prove";

export type ProofRun = {
  readonly passed: Passed;
  readonly device: Pick<ProofDevice, "path" | "label">;
};

/** Opens the best device there is, proves it to the coordinator and gives it back. Throws as `proveHardware` does. */
export async function runProof(
  home: Home,
  api: CoordinatorApi,
  options: {
    readonly signal: AbortSignal;
    readonly onProgress?: (progress: Progress) => void;
  },
): Promise<ProofRun> {
  const { signal, onProgress = () => {} } = options;
  const device = await openCpuDevice({ signal });
  try {
    const passed = await withEnrolment(home, api, ({ enrolment, peer_id: nodeId }) =>
      proveHardware({
        api,
        enrolment,
        nodeId,
        device,
        signal,
        steadyMs: () => performance.now(),
        onProgress,
      }),
    );
    return { passed, device };
  } finally {
    await device.close();
  }
}
