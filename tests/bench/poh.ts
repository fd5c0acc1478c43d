import { base64url } from "jose";
import { Miniflare } from "miniflare";
import { type HardwareRun, takeCommitment } from "#coordinator/domain/hardware-run";
import { openCpuDevice } from "#peer/hardware/cpu-device";
import { proveHardware } from "#peer/hardware/prove";
import { stopBetween } from "#peer/hardware/stop-between";
import {
  type CommitRequest,
  HARDWARE_VERSION,
  MAX_PASSES,
  MAX_ROWS,
  MIN_COMPUTE_MS,
  MIN_MEMORY_MS,
  OPEN_WITHIN_MS,
  type OpenRequest,
} from "#protocol/hardware";
import { bundleForWorkerd } from "#support/workerd-bundle";
import { cpuMs, ownProcesses } from "./cpu";
import type { Figure, Part } from "./part";
import type { Scope } from "./scope";

export const poh: Part = {
  name: "poh",
  summary:
    "proof of hardware: what checking one costs in workerd, how large it is, this machine's rates",
  run,
};

const NODE = "n".repeat(43);
const SEED = base64url.encode(new Uint8Array(32).fill(1));
const SECRET = base64url.encode(new Uint8Array(32).fill(2));
const KEY = base64url.encode(new Uint8Array(32).fill(3));
const TIMES = 200;
const FRESH_TIMES = 40;

type Opening = { readonly run: HardwareRun; readonly said: OpenRequest };

async function run(scope: Scope): Promise<Figure[]> {
  const proof = await makeProof(scope);
  const [compute, memory] = proof.openings;
  if (compute === undefined || memory === undefined) throw new Error("A part was not opened.");
  const verify = await openVerifier(scope);
  const bytes = [...proof.openings.map(({ said }) => said), ...proof.commitments].map(
    (body) => JSON.stringify(body).length,
  );
  const atMost = { atMost: 10 };
  return [
    {
      name: "an opening of rows checked, CPU time in workerd",
      unit: "ms",
      measured: await verify(compute, TIMES, false),
      target: atMost,
    },
    {
      name: "an opening of pages checked, CPU time in workerd",
      unit: "ms",
      measured: await verify(memory, TIMES, false),
      target: atMost,
    },
    {
      name: "… of rows, with what an isolate makes once for each epoch",
      unit: "ms",
      measured: await verify(compute, FRESH_TIMES, true),
    },
    {
      name: "the largest request of a run",
      unit: "kB",
      measured: Math.max(...bytes) / 1_000,
      target: { atMost: 300 },
      note: `${proof.rows} rows; a run sends ${Math.round(bytes.reduce((sum, one) => sum + one, 0) / 1_000)} kB in all`,
    },
    { name: "this machine's CPU path, compute", unit: "GOPS", measured: proof.computeOps / 1e9 },
    { name: "this machine's CPU path, memory", unit: "GB/s", measured: proof.memoryBytes / 1e9 },
  ];
}

/** A whole proof, against the coordinator's own decisions without its stores. */
async function makeProof(scope: Scope) {
  const { signal } = new AbortController();
  const device = await scope.hold(
    () => openCpuDevice({ signal }),
    (opened) => opened.close(),
  );
  const openings: Opening[] = [];
  const commitments: CommitRequest[] = [];
  let current: HardwareRun = {
    stage: "compute",
    id: crypto.randomUUID(),
    epoch: 0,
    in_round: false,
    nonce: KEY,
    started_ms: 0,
  };
  const passed = await proveHardware({
    device,
    stop: stopBetween(signal),
    nodeId: NODE,
    enrolment: "",
    steadyMs: () => performance.now(),
    onProgress: () => {},
    api: {
      async challengeHardware() {
        current = { ...current, started_ms: Date.now() };
        return {
          id: current.id,
          version: HARDWARE_VERSION,
          nonce: KEY,
          seed: SEED,
          min_ms: MIN_COMPUTE_MS,
          max_rows: MAX_ROWS,
          expires_in_seconds: 60,
        };
      },
      async commitHardware(body) {
        commitments.push(body);
        const random = (below: number) => Math.floor(Math.random() * below);
        const taken = takeCommitment(current, body, Date.now(), random);
        if (!taken.ok) throw new Error(taken.reason);
        current = taken.value;
        return { open: taken.value.open, within_ms: OPEN_WITHIN_MS };
      },
      async verifyHardware(said) {
        openings.push({ run: current, said });
        if (current.stage === "memory_committed") {
          const { compute_ops, memory_bytes } = current;
          const standing = { version: 1, verified: true, multiplier: 1, basis: "proof" } as const;
          return { status: "passed", compute_ops, memory_bytes, run_multiplier: 1, standing };
        }
        if (current.stage !== "compute_committed") throw new Error("Nothing was bound.");
        const { committed, compute_ops, epoch, id, in_round, nonce } = current;
        const shared = { id, epoch, in_round, nonce, compute_ops, key: KEY };
        const started_ms = Date.now();
        current = { ...shared, stage: "memory", committed_rows: committed, started_ms };
        return {
          status: "continue",
          key: KEY,
          min_ms: MIN_MEMORY_MS,
          max_passes: MAX_PASSES,
          full_table_rows: committed.rows,
        };
      },
    },
  });
  const rows = commitments[0]?.part === "compute" ? commitments[0].rows : 0;
  const { compute_ops: computeOps, memory_bytes: memoryBytes } = passed;
  return { openings, commitments, rows, computeOps, memoryBytes };
}

async function openVerifier(scope: Scope) {
  const script = await bundleForWorkerd(new URL("./poh-worker.ts", import.meta.url));
  const before = ownProcesses("workerd");
  const workerd = await scope.hold(
    async () =>
      new Miniflare({
        modules: true,
        script,
        compatibilityDate: "2026-07-01",
        compatibilityFlags: ["nodejs_compat"],
        cf: false,
      }),
    (started) => started.dispose(),
  );
  await workerd.ready;
  const pids = ownProcesses("workerd").filter((pid) => !before.includes(pid));

  return async ({ run: known, said }: Opening, times: number, isFresh: boolean) => {
    const shared = { seed: SEED, secret: SECRET, nodeId: NODE, run: known, isFresh };
    const opening = JSON.stringify(said);
    const ask = async (count: number): Promise<void> => {
      const body = JSON.stringify({ ...shared, opening, times: count });
      const answer = await workerd.dispatchFetch("http://poh.test/", { method: "POST", body });
      const { passed } = (await answer.json()) as { passed: number };
      if (passed !== count) throw new Error(`Of ${count} openings ${passed} were found right.`);
    };
    await ask(times / 4); // The compiler's time is not what is asked about.
    const startMs = cpuMs(pids);
    await ask(times);
    const endMs = cpuMs(pids);
    return startMs === null || endMs === null ? null : (endMs - startMs) / times;
  };
}
