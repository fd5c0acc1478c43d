import { counted } from "#protocol/counted";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { DIGESTS_PER_LEAF, FULL_TABLE_ROWS, pagesOf } from "#protocol/hardware";
import { matrixB, SIZE } from "#protocol/poh/matrix";
import { DIGEST_BYTES } from "#protocol/poh/row-digest";
import { packPanels } from "./cpu-kernel";
import { CONTROL_BYTES, type CpuAnswer, type CpuRequest, NEXT_LEAF, STOP } from "./cpu-messages";
import { type Computed, type ComputeWork, type ProofDevice, ProofYielded } from "./device";

/** Digests of so many rows are room enough for any core for the time that a run takes. */
const ROWS_PER_THREAD = 2 ** 18;
const LOOK_EVERY_MS = 50;

export type CpuOptions = {
  readonly signal: AbortSignal;
  /** Default: one for each core. */
  readonly threads?: number;
  /** Bytes of C that may be kept. */
  readonly tableBytes?: number;
};

/** Every core of this machine, by WebAssembly SIMD in threads. Throws `ProofYielded` where `signal` aborts. */
export async function openCpuDevice(options: CpuOptions): Promise<ProofDevice> {
  const { signal, threads: count = availableParallelism() } = options;
  const tableRows = Math.min(FULL_TABLE_ROWS, (options.tableBytes ?? Infinity) / SIZE);
  const tableLeaves = Math.max(1, Math.floor(tableRows / DIGESTS_PER_LEAF));
  const control = new SharedArrayBuffer(CONTROL_BYTES);
  const flags = new Int32Array(control);
  const threads = Array.from({ length: count }, () => openThread(signal));
  const stop = () => Atomics.store(flags, STOP, 1);
  signal.addEventListener("abort", stop);
  let keptLeaves = 0;

  const close = async (): Promise<void> => {
    stop();
    signal.removeEventListener("abort", stop);
    await Promise.all(threads.map((thread) => thread.end()));
  };
  const everyThread = (request: CpuRequest) =>
    Promise.all(threads.map((thread) => thread.ask(request)));

  async function compute(work: ComputeWork): Promise<Computed> {
    const panels = new SharedArrayBuffer(2 * SIZE * SIZE);
    new Uint16Array(panels).set(packPanels(matrixB(work.seed)));
    const most = Math.min(work.maxRows, count * ROWS_PER_THREAD);
    const maxLeaves = Math.floor(most / DIGESTS_PER_LEAF);
    const digests = new SharedArrayBuffer(maxLeaves * DIGESTS_PER_LEAF * DIGEST_BYTES);
    const leaves = (): number => Math.min(maxLeaves, Atomics.load(flags, NEXT_LEAF));
    const { keyA } = work;
    const look = setInterval(() => {
      if (work.isEnough(leaves() * DIGESTS_PER_LEAF)) stop();
    }, LOOK_EVERY_MS);
    try {
      await everyThread({ type: "begin", keyA, panels, digests, control, maxLeaves, tableLeaves });
    } finally {
      clearInterval(look);
    }
    if (!signal.aborted) Atomics.store(flags, STOP, 0);
    const rows = leaves() * DIGESTS_PER_LEAF;
    keptLeaves = Math.min(tableLeaves, leaves());
    const own = new Uint8Array(digests).slice(0, rows * DIGEST_BYTES);
    return { rows, digests: own, tableRows: keptLeaves * DIGESTS_PER_LEAF };
  }

  return {
    path: "cpu",
    tableRowsWanted: tableLeaves * DIGESTS_PER_LEAF,
    label: counted(count, "core"),
    compute,
    async leafRows(leaf) {
      // Another thread may have kept it; computing it again takes a few milliseconds.
      const answer = await threads[0]?.ask({ type: "leaf", leaf });
      if (answer?.type !== "leaf") throw new Error("A thread answered something else.");
      return answer.rows;
    },
    async pass(stream) {
      const pages = pagesOf(keptLeaves * DIGESTS_PER_LEAF);
      const digests = new SharedArrayBuffer(pages * DIGEST_BYTES);
      await everyThread({ type: "pass", stream, digests, control });
      return new Uint8Array(digests).slice();
    },
    close,
  };
}

type Thread = {
  ask(request: CpuRequest): Promise<CpuAnswer>;
  end(): Promise<unknown>;
};

function openThread(signal: AbortSignal): Thread {
  const worker = new Worker(new URL("./cpu-thread.ts", import.meta.url));
  let answered: (answer: CpuAnswer) => void = () => {};
  let failed: (cause: Error) => void = () => {};
  worker.on("message", (answer: CpuAnswer) => answered(answer));
  worker.on("error", (cause) => failed(new Error("A thread of the proof failed.", { cause })));
  const next = () =>
    new Promise<CpuAnswer>((resolve, reject) => {
      answered = resolve;
      failed = reject;
    });
  const ready = next();
  return {
    async ask(request) {
      await ready;
      if (signal.aborted) throw new ProofYielded("The run was stopped.");
      const answer = next();
      worker.postMessage(request, []);
      const got = await answer;
      if (signal.aborted) throw new ProofYielded("The run was stopped.");
      return got;
    },
    end: () => worker.terminate(),
  };
}
