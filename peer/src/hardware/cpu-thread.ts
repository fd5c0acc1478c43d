import { parentPort } from "node:worker_threads";
import { DIGESTS_PER_LEAF } from "#protocol/hardware";
import { SIZE } from "#protocol/poh/matrix";
import { PAGE_BYTES, ROWS_PER_PAGE } from "#protocol/poh/page-digest";
import { DIGEST_BYTES } from "#protocol/poh/row-digest";
import { openCpuKernel, WIDE_ROW_BYTES } from "./cpu-kernel";
import { type CpuAnswer, type CpuRequest, NEXT_LEAF, STOP } from "./cpu-messages";

// Another entry point of the executable: one thread of the CPU path, with a memory of its own.

const WASM_PAGE_BYTES = 65_536;
const LEAF_BYTES = DIGESTS_PER_LEAF * SIZE;
const PAGES_PER_LEAF = DIGESTS_PER_LEAF / ROWS_PER_PAGE;
/** Leaves of the table that are read in one go: a few milliseconds, so that a stop is heard. */
const LEAVES_AT_ONCE = 256;
const GROW_LEAVES = 64;

/** Where things lie in the thread's memory, each at a multiple of 64 KiB; the table is last and grows. */
const KEY_AT = 0;
const STREAM_AT = KEY_AT + WASM_PAGE_BYTES;
const DIGESTS_AT = STREAM_AT + WASM_PAGE_BYTES;
const A_AT = DIGESTS_AT + WASM_PAGE_BYTES;
const PANELS_AT = A_AT + DIGESTS_PER_LEAF * WIDE_ROW_BYTES;
const SCRATCH_AT = PANELS_AT + SIZE * SIZE * 2;
const TABLE_AT = SCRATCH_AT + LEAF_BYTES;

const memory = new WebAssembly.Memory({ initial: TABLE_AT / WASM_PAGE_BYTES });
const kernel = openCpuKernel(memory);
/** Numbers of the leaves that lie in the table, in the order in which they lie there. */
const kept: number[] = [];

parentPort?.on("message", (request: CpuRequest) => parentPort?.postMessage(answerTo(request), []));
parentPort?.postMessage({ type: "ready" } satisfies CpuAnswer, []);

function answerTo(request: CpuRequest): CpuAnswer {
  switch (request.type) {
    case "begin":
      compute(request);
      return { type: "done" };
    case "pass":
      pass(request);
      return { type: "done" };
    case "leaf":
      return { type: "leaf", rows: leafRows(request.leaf) };
  }
}

function compute(work: Extract<CpuRequest, { type: "begin" }>): void {
  bytes(KEY_AT, 32).set(work.keyA);
  bytes(PANELS_AT, work.panels.byteLength).set(new Uint8Array(work.panels));
  const control = new Int32Array(work.control);
  const digests = new Uint8Array(work.digests);
  while (Atomics.load(control, STOP) === 0) {
    const leaf = Atomics.add(control, NEXT_LEAF, 1);
    if (leaf >= work.maxLeaves) return;
    const isKept = leaf < work.tableLeaves;
    const rowsAt = isKept ? addToTable(leaf) : SCRATCH_AT;
    multiplyLeaf(leaf, rowsAt);
    kernel.digests(rowsAt, DIGESTS_PER_LEAF, DIGESTS_AT);
    const length = DIGESTS_PER_LEAF * DIGEST_BYTES;
    digests.set(bytes(DIGESTS_AT, length), leaf * length);
  }
}

function multiplyLeaf(leaf: number, to: number): void {
  kernel.rows(KEY_AT, leaf * DIGESTS_PER_LEAF, DIGESTS_PER_LEAF, A_AT);
  kernel.multiply(A_AT, PANELS_AT, to, DIGESTS_PER_LEAF);
}

function addToTable(leaf: number): number {
  const at = TABLE_AT + kept.length * LEAF_BYTES;
  if (memory.buffer.byteLength < at + LEAF_BYTES) memory.grow(GROW_LEAVES);
  kept.push(leaf);
  return at;
}

function pass({ stream, digests, control }: Extract<CpuRequest, { type: "pass" }>): void {
  bytes(STREAM_AT, PAGE_BYTES).set(stream);
  const isStopped = new Int32Array(control);
  const all = new Uint8Array(digests);
  const length = PAGES_PER_LEAF * DIGEST_BYTES;
  for (let first = 0; first < kept.length; first += LEAVES_AT_ONCE) {
    if (Atomics.load(isStopped, STOP) !== 0) return;
    const leaves = kept.slice(first, first + LEAVES_AT_ONCE);
    const pages = leaves.length * PAGES_PER_LEAF;
    kernel.pages(TABLE_AT + first * LEAF_BYTES, STREAM_AT, pages, DIGESTS_AT);
    const own = bytes(DIGESTS_AT, pages * DIGEST_BYTES);
    for (const [place, leaf] of leaves.entries()) {
      all.set(own.subarray(place * length, (place + 1) * length), leaf * length);
    }
  }
}

function leafRows(leaf: number): Uint8Array {
  const place = kept.indexOf(leaf);
  const at = place === -1 ? SCRATCH_AT : TABLE_AT + place * LEAF_BYTES;
  if (place === -1) multiplyLeaf(leaf, at);
  return bytes(at, LEAF_BYTES).slice();
}

/** A new view each time: growing takes the old ones away. */
function bytes(at: number, length: number): Uint8Array {
  return new Uint8Array(memory.buffer, at, length);
}
