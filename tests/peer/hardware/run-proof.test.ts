import { expect, it } from "vitest";
import { coordinatorApi } from "#peer/coordinator/api";
import { GpuFailed } from "#peer/hardware/gpu/gpu-device";
import { NoGpu } from "#peer/hardware/gpu/gpu-kernel";
import { type ProofOptions, runProof } from "#peer/hardware/run-proof";
import { openHome } from "#peer/home/open-home";
import { fakeCoordinator, problem, registrationOf } from "../coordinator/fake-coordinator";
import { temporaryFolder } from "../home/temporary-folder";

/** A coordinator that takes nobody's challenge: how far a run came is what is asked about. */
async function proofWith(options: Partial<ProofOptions>) {
  const home = await openHome(await temporaryFolder());
  await using coordinator = fakeCoordinator({
    "POST /register": (call) => Response.json(registrationOf(call.peerId, Date.now())),
    "POST /hardware/challenge": () => problem("hardware_cooldown"),
  });
  const api = coordinatorApi({ baseUrl: coordinator.baseUrl, identity: home.identity });
  const signal = new AbortController().signal;
  const outcome = await runProof(home, api, { signal, ...options }).catch(
    (error: Error) => error.name,
  );
  return { outcome, asked: coordinator.seen.map(({ target }) => target) };
}

const failing = (error: Error) => async () => {
  throw error;
};

it.each([new NoGpu("no GPU was found"), new GpuFailed("The GPU's process ended.")])(
  "takes the CPU where the GPU cannot be used: %s",
  async (error) => {
    const { asked, outcome } = await proofWith({ openGpu: failing(error) });
    expect(outcome).toBe("CoordinatorProblem");
    expect(asked).toContain("/hardware/challenge");
  },
);

it("stops its device with the run, and not past what holds it while something is bound", async () => {
  const person = new AbortController();
  const { asked, outcome } = await proofWith({
    signal: person.signal,
    openGpu: async ({ signal }) => {
      expect(signal).not.toBe(person.signal);
      expect(signal.aborted).toBe(false);
      person.abort();
      expect(signal.aborted).toBe(true);
      throw new NoGpu("no GPU was found");
    },
  });
  expect(outcome).toBe("ProofYielded");
  expect(asked).not.toContain("/hardware/challenge");
});

it("asks for nothing where it needs a GPU and there is none", async () => {
  const openGpu = failing(new NoGpu("no GPU was found"));
  const { asked, outcome } = await proofWith({ openGpu, needsGpu: true });
  expect(outcome).toBe("NoGpu");
  expect(asked).toEqual([]);
});

it("hides no other fault behind the CPU", async () => {
  const { asked, outcome } = await proofWith({ openGpu: failing(new RangeError("a bug")) });
  expect(outcome).toBe("RangeError");
  expect(asked).toEqual([]);
});

it("asks for a challenge not before the moment that it is told", async () => {
  const openGpu = failing(new NoGpu("no GPU was found"));
  const startsAtMs = performance.now() + 400;
  await proofWith({ openGpu, startsAtMs });
  expect(performance.now()).toBeGreaterThanOrEqual(startsAtMs);
});
