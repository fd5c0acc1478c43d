import { join } from "node:path";
import { DIGESTS_PER_LEAF, pagesOf } from "#protocol/hardware";
import { SIZE } from "#protocol/poh/matrix";
import { DIGEST_BYTES } from "#protocol/poh/row-digest";
import type { Computed, ComputeWork, ProofDevice } from "../device";
import { ProofYielded } from "../device";
import { CHUNK_ROWS } from "./buffers";
import { EMBEDDED_DAWN } from "./embedded-dawn";
import { type GpuOptions, NoGpu } from "./gpu-kernel";
import { GPU_CHILD, type GpuAnswer, type GpuRequest } from "./messages";
import { checkGpu } from "./self-check";

/** The process with the GPU ended, or did not answer: its driver, most likely. */
export class GpuFailed extends Error {
  override readonly name = "GpuFailed";
}

/** Digests of so many rows are kept, 256 MiB: the fastest devices there are come to more, and are measured as this. */
const MAX_GPU_ROWS = 2 ** 25;
/** For one answer: the driver may have to compile first. */
const ANSWER_LIMIT_MS = 20_000;

type Options = GpuOptions & {
  readonly signal: AbortSignal;
  /** Another program than this one's own, for tests. */
  readonly command?: readonly string[];
};

/** This machine's GPU, in a process of its own. Throws `NoGpu`, `GpuFailed`, and `ProofYielded` where `signal` aborts. */
export async function openGpuDevice(options: Options): Promise<ProofDevice> {
  const { allowSoftware = false, command = childCommand(), signal, tableRows } = options;
  const child = startChild(command, signal);
  try {
    const request = { type: "open" as const, allowSoftware, ...(tableRows && { tableRows }) };
    const opened = await child.ask(request);
    if (opened.type === "none") throw new NoGpu(opened.why);
    if (opened.type !== "opened") throw new GpuFailed("The GPU's process answered something else.");
    const device = deviceOf(child, opened, signal);
    if (!(await checkGpu(device))) throw new NoGpu(`${opened.label} computes wrong results`);
    return device;
  } catch (error) {
    await child.end();
    throw error;
  }
}

function deviceOf(
  child: Child,
  opened: Extract<GpuAnswer, { type: "opened" }>,
  signal: AbortSignal,
): ProofDevice {
  async function bytesOf(request: GpuRequest): Promise<{ bytes: Uint8Array; tableRows: number }> {
    const answer = await child.ask(request);
    if (answer.type !== "bytes") throw new GpuFailed("The GPU's process answered something else.");
    return answer;
  }

  async function compute(work: ComputeWork): Promise<Computed> {
    await child.ask({ type: "begin", keyA: work.keyA, seed: work.seed });
    const most = Math.min(work.maxRows, MAX_GPU_ROWS);
    const parts: Uint8Array[] = [];
    let rows = 0;
    let tableRows = 0;
    while (rows + CHUNK_ROWS <= most && !work.isEnough(rows)) {
      const made = await bytesOf({ type: "step" });
      parts.push(made.bytes);
      rows += made.bytes.length / DIGEST_BYTES;
      ({ tableRows } = made);
    }
    if (signal.aborted) throw new ProofYielded("The run was stopped.");
    return { rows, digests: Buffer.concat(parts), tableRows };
  }

  return {
    path: "gpu",
    label: opened.label,
    tableRowsWanted: opened.tableRowsWanted,
    compute,
    async leafRows(leaf) {
      const { bytes } = await bytesOf({ type: "leaf", leaf });
      if (bytes.length !== DIGESTS_PER_LEAF * SIZE) throw new GpuFailed("A leaf is not whole.");
      return bytes;
    },
    async pass(stream) {
      const { bytes, tableRows } = await bytesOf({ type: "pass", stream });
      const length = pagesOf(tableRows) * DIGEST_BYTES;
      if (bytes.length !== length) throw new GpuFailed("A pass is not whole.");
      return bytes;
    },
    close: () => child.end(),
  };
}

type Child = {
  ask(request: GpuRequest): Promise<GpuAnswer>;
  end(): Promise<void>;
};

function startChild(command: readonly string[], signal: AbortSignal): Child {
  let settle: ((answer: GpuAnswer | Error) => void) | undefined;
  const child = Bun.spawn([...command], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
    serialization: "advanced",
    ipc: (answer: GpuAnswer) => settle?.(answer),
    onExit: () => settle?.(new GpuFailed("The GPU's process ended.")),
  });
  const kill = (): void => child.kill("SIGKILL");
  signal.addEventListener("abort", kill);
  return {
    async ask(request) {
      if (signal.aborted) throw new ProofYielded("The run was stopped.");
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (hasEnded) throw new GpuFailed("The GPU's process ended.");
      const { promise, resolve } = Promise.withResolvers<GpuAnswer | Error>();
      const limit = setTimeout(
        () => resolve(new GpuFailed("The GPU does not answer.")),
        ANSWER_LIMIT_MS,
      );
      settle = resolve;
      child.send(request);
      const answer = await promise;
      clearTimeout(limit);
      settle = undefined;
      if (signal.aborted) throw new ProofYielded("The run was stopped.");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async end() {
      signal.removeEventListener("abort", kill);
      kill();
      await child.exited;
    },
  };
}

/** This program again: the executable by a word that no command has, the sources by a file. */
function childCommand(): readonly string[] {
  if (EMBEDDED_DAWN !== undefined) return [process.execPath, GPU_CHILD];
  return [process.execPath, join(import.meta.dirname, "gpu-child-main.ts")];
}
